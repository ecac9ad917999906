package import Primitives

/// From where a peer can be reached, and so to whom it may be named (T13): a peer on a private network is of no use to
/// one on the internet, and none of its business.
package enum Reach {
    case everywhere
    case privateNetwork
    case thisHost

    init(_ address: IPAddress) {
        self = address.isLoopback ? .thisHost : address.isPrivate ? .privateNetwork : .everywhere
    }

    /// Whether somebody may be told of a peer.
    package static func of(_ asker: IPAddress, mayBeTold peer: Endpoint) -> Bool {
        PeerKind.told(asSeed: false, Reach(asker)).contains(PeerKind(isSeed: false, Reach(peer.address)).number)
    }
}

/// The six kinds of peers in the order in which a swarm keeps them:
///
///     private seeds · public seeds · public leechers · private leechers · loopback leechers · loopback seeds
///
/// Whoever asks may be told of some kinds (seeds have no use for seeds, and T13), and in this order those lie side by
/// side for everybody: an answer is a choice out of one range of rows.
struct PeerKind {
    let number: Int

    static let count = 6

    init(isSeed: Bool, _ reach: Reach) {
        number =
            switch reach {
            case .privateNetwork: isSeed ? 0 : 3
            case .everywhere: isSeed ? 1 : 2
            case .thisHost: isSeed ? 5 : 4
            }
    }

    static func isSeed(_ number: Int) -> Bool { number < 2 || number == 5 }

    /// The first and the last kind that a peer may be told of.
    static func told(asSeed isSeed: Bool, _ reach: Reach) -> ClosedRange<Int> {
        switch reach {
        case .everywhere: isSeed ? 2...2 : 1...2
        case .privateNetwork: isSeed ? 2...3 : 0...3
        case .thisHost: isSeed ? 2...4 : 0...5
        }
    }
}
