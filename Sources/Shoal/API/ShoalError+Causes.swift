import EventLoop
import Metainfo
import Primitives
import Storage

extension ShoalError {
    /// A local file problem.
    init(_ error: StorageError) {
        switch error {
        case .cancelled: self.init(.failed, error.message)
        default: self.init(.files, error.message)
        }
    }

    /// A key of this host that is not safe to use.
    init(_ fault: IdentityFault, in folder: String) {
        self.init(.files, "\(folder)/\(IdentityFile.name) \(fault.message)")
    }

    /// Something in a torrent that cannot be used.
    init(_ error: MetainfoError, in what: String) {
        self.init(.badData, "\(what) cannot be used: \(error)")
    }

    /// A port or address that cannot be listened on.
    init(listening error: SocketError) {
        switch error {
        case .addressInUse(let endpoint, let transport):
            self.init(
                .network,
                "\(transport) port \(endpoint.port) is in use; choose another with --listen, or :0 for any free one"
            )
        case .addressUnavailable, .permissionDenied:
            self.init(.network, "cannot listen: \(error); choose another address or port with --listen")
        default: self.init(.network, "cannot listen: \(error)")
        }
    }
}
