import EventLoop
import Primitives

/// The datagram socket of each family that a node listens in.
///
/// Not a dictionary: it is asked for each datagram, and hashing was a twentieth of what is ours of a DHT answer.
struct DatagramSockets {
    private var v4: DatagramSocket?
    private var v6: DatagramSocket?

    /// The first of each family; closed ones are left out.
    init(_ sockets: [DatagramSocket]) {
        for socket in sockets {
            switch socket.localEndpoint?.address.family {
            case .v4?: v4 = v4 ?? socket
            case .v6?: v6 = v6 ?? socket
            case nil: break
            }
        }
    }

    subscript(family: AddressFamily) -> DatagramSocket? {
        switch family {
        case .v4: v4
        case .v6: v6
        }
    }

    var families: [AddressFamily] { AddressFamily.allCases.filter { self[$0] != nil } }

    func flush() {
        v4?.flush()
        v6?.flush()
    }

    func close() {
        v4?.close()
        v6?.close()
    }
}
