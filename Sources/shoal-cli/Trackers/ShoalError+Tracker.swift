import Shoal
import TrackerAPI
import TrackerServer
import TrackerStore

extension ShoalError {
    /// What keeps a tracker node from running.
    init(_ fault: TrackerFault) {
        let code: Code =
            switch fault.kind {
            case .network: .network
            case .database(let fault): ShoalError(fault).code
            case .files: .files
            case .configuration: .usage
            case .failed: .failed
            }
        self.init(code, fault.sentence)
    }

    /// Why a tracker did not do what it was asked.
    init(_ error: TrackerClientError) {
        let code: Code =
            switch error.kind {
            case .network, .refused, .stranger: .network
            case .login: .loginRefused
            case .notFound: .notFound
            case .badData: .badData
            case .insecure: .usage
            case .files: .files
            }
        self.init(code, error.sentence)
    }

    /// What is wrong with a tracker's database.
    init(_ fault: StoreFault) {
        let code: ShoalError.Code =
            switch fault {
            case .unknownScheme, .malformedURL: .usage
            case .notInstalled: .failed
            case .unreachable, .refused, .conflict, .busy: .network
            case .missing: .notFound
            case .newer, .damaged, .failed: .files
            }
        self.init(code, fault.message)
    }
}
