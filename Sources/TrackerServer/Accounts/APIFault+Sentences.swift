import Primitives
import TrackerAPI
import TrackerProtocol
import TrackerStore

/// What `/api/v1` refuses, and how it says so: none of the sentences repeats what was sent.
extension APIFault {
    static let badJSON = APIFault(
        status: 400,
        code: "bad_json",
        message: "the body must be a JSON object with \"user\" and \"password\""
    )
    static let badName = APIFault(
        status: 400,
        code: "bad_user",
        message: "a user name has 3 to 64 characters of A-Z a-z 0-9 _ . -"
    )
    static let badPassword = APIFault(
        status: 400,
        code: "bad_password",
        message: "a password has 8 to 1024 bytes"
    )
    static let wrongLogin = APIFault(
        status: 401,
        code: "wrong_login",
        message: "the user or the password is wrong"
    )
    static let loginNeeded = APIFault(
        status: 401,
        code: "login_needed",
        message: "this needs a valid passkey: log in (shoal user login)"
    )
    static let adminNeeded = APIFault(
        status: 403,
        code: "admin_needed",
        message: "only an administrator may ask for this"
    )
    static let noAccounts = APIFault(
        status: 404,
        code: "no_accounts",
        message: "this tracker has no accounts: it serves everybody without logging in"
    )
    static let nameTaken = APIFault(
        status: 409,
        code: "name_taken",
        message: "the name is taken; choose another one"
    )
    static let trackerFull = APIFault(
        status: 429,
        code: "too_many_accounts",
        message: "the tracker has as many accounts as it may; ask who runs it",
        retryAfter: 86400
    )
    static let noMemory = APIFault(
        status: 503,
        code: "no_memory",
        message: "the tracker has no memory for this now; try again",
        retryAfter: 10
    )

    static func tooMany(_ wait: Duration) -> APIFault {
        APIFault(
            status: 429,
            code: "too_many_attempts",
            message: "too many attempts to log in or register",
            retryAfter: max(1, wait.components.seconds)
        )
    }

    /// What is wrong with it is the business of who runs the tracker, who is told elsewhere.
    static func database(_ fault: StoreFault) -> APIFault {
        APIFault(
            status: 503,
            code: "database",
            message: "the tracker's database does not answer; try again",
            retryAfter: 10
        )
    }

    // MARK: Files

    static let badFileName = APIFault(
        status: 400,
        code: "bad_name",
        message: "a file's name has 1 to 255 bytes, no slash and no control characters"
    )
    static let badTorrent = APIFault(
        status: 400,
        code: "bad_torrent",
        message: "the body is no valid .torrent file"
    )
    static let noFile = APIFault(
        status: 404,
        code: "not_found",
        message: "no file of that name is registered here"
    )
    static let fileTaken = APIFault(
        status: 409,
        code: "name_taken",
        message: "somebody else has registered a file by that name; choose another name"
    )
    static let notOwner = APIFault(
        status: 403,
        code: "not_owner",
        message: "only who registered the file, or an administrator, may remove it"
    )
    static let ownerFull = APIFault(
        status: 429,
        code: "too_many_files",
        message: "you have as many files registered as one may; remove some first",
        retryAfter: 3600
    )
    static let catalogueFull = APIFault(
        status: 429,
        code: "catalogue_full",
        message: "the tracker has as many files as it may; ask who runs it",
        retryAfter: 86400
    )
}
