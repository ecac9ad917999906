import Shoal
import TrackerAPI
import TrackerStore

extension ShoalError {
    /// What a tracker refused.
    init(_ error: TrackerClientError) {
        let code: ShoalError.Code =
            switch error.kind {
            case .network, .refused: .network
            case .login, .insecure: .loginRefused
            case .notFound: .notFound
            case .badData: .badData
            case .files: .files
            }
        self.init(code, error.sentence)
    }

    /// What is wrong with a tracker's database.
    init(_ fault: StoreFault) {
        let code: ShoalError.Code =
            switch fault {
            case .unknownScheme, .malformedURL: .usage
            case .unreachable, .refused, .conflict, .busy: .network
            case .missing: .notFound
            case .newer, .damaged, .failed: .files
            }
        self.init(code, fault.message)
    }
}
