import CUV
import Glibc
package import Primitives

/// TCP or UDP.
package enum Transport: Hashable, Sendable {
    case tcp
    case udp
}

extension Transport: CustomStringConvertible {
    package var description: String { self == .tcp ? "TCP" : "UDP" }
}

/// Why a socket call failed.
package enum SocketError: Error, Hashable, Sendable {
    /// Another socket listens there.
    case addressInUse(Endpoint, Transport)
    /// No interface of this machine has the address.
    case addressUnavailable(Endpoint)
    /// Ports below 1024 need a privilege.
    case permissionDenied(Endpoint)
    /// Nobody listens at the other end.
    case refused
    /// No way to the other end.
    case unreachable
    case timedOut
    /// The other end broke the connection.
    case reset
    /// The process or the system has no descriptor left.
    case tooManyOpenFiles
    /// The socket, or the loop, is closed already.
    case closed
    case system(errno: Int32)

    /// From a negated errno, libuv's way.
    init(code: Int32) {
        self.init(errno: 0 &- code)
    }

    init(errno: Int32) {
        self =
            switch errno {
            case ECONNREFUSED: .refused
            case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN: .unreachable
            case ETIMEDOUT: .timedOut
            case ECONNRESET, EPIPE, ECONNABORTED: .reset
            case EMFILE, ENFILE: .tooManyOpenFiles
            case ECANCELED, EBADF: .closed
            default: .system(errno: errno)
            }
    }

    /// From a failed `bind`, `listen` or `connect`, which the address explains.
    init(errno: Int32, at endpoint: Endpoint, _ transport: Transport) {
        switch errno {
        case EADDRINUSE: self = .addressInUse(endpoint, transport)
        case EADDRNOTAVAIL: self = .addressUnavailable(endpoint)
        case EACCES, EPERM: self = .permissionDenied(endpoint)
        default: self.init(errno: errno)
        }
    }
}

extension SocketError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .addressInUse(let endpoint, let transport): "\(transport) port \(endpoint.port) is in use (\(endpoint))"
        case .addressUnavailable(let endpoint): "this machine does not have the address \(endpoint.address)"
        case .permissionDenied(let endpoint): "no permission to use \(endpoint)"
        case .refused: "connection refused"
        case .unreachable: "host or network unreachable"
        case .timedOut: "timed out"
        case .reset: "connection reset"
        case .tooManyOpenFiles: "too many open files"
        case .closed: "closed"
        case .system(let errno): String(cString: uv_strerror(0 &- errno))
        }
    }
}
