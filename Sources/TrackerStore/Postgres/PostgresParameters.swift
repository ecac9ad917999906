import CLibpq
import SQLite

/// Values as `PQexecParams` wants them: binary, with their types, so that the server guesses nothing.
struct PostgresParameters {
    /// What libpq reads; valid inside `lend`.
    struct Lent {
        let count: Int32
        let types: [Oid]
        let values: [UnsafePointer<CChar>?]
        let lengths: [Int32]
        let formats: [Int32]
    }

    private var types: [Oid] = []
    private var bytes: [UInt8] = []
    private var ranges: [Range<Int>] = []

    init(_ values: [DatabaseValue]) {
        for value in values {
            let start = bytes.count
            switch value {
            case .blob(let blob):
                types.append(17)
                bytes += blob
            case .text(let text):
                types.append(25)
                bytes += text.utf8
            case .integer(let number):
                types.append(20)
                for shift in stride(from: 56, through: 0, by: -8) {
                    bytes.append(UInt8(truncatingIfNeeded: number >> Int64(shift)))
                }
            }
            ranges.append(start..<bytes.count)
        }
        // An empty value still needs an address: a null pointer is NULL.
        bytes.append(0)
    }

    func lend<Result>(_ body: (Lent) -> Result) -> Result {
        // Safe: every range lies in the bytes, and the pointers are used inside this closure alone.
        unsafe bytes.withUnsafeBytes { buffer in
            let base = unsafe buffer.bindMemory(to: CChar.self).baseAddress
            let lent = unsafe Lent(
                count: Int32(ranges.count),
                types: types,
                values: ranges.map { range in unsafe base.map { unsafe $0 + range.lowerBound } },
                lengths: ranges.map { Int32($0.count) },
                formats: ranges.map { _ in 1 }
            )
            return body(lent)
        }
    }
}
