import Cryptography
import Primitives
import Testing

@Suite("Text of a key (secure-peer.md, §1)")
struct KeyTextTests {
    static let key = Ed25519.PublicKey(hex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"))
    static let text = "sp1-aoqqpp7tzyil4hlq3umoos6atft6jvrqtosq2xy53sdgiesvgg4j2ja"

    static func fault(_ text: String) -> KeyTextFault? {
        do throws(KeyTextFault) {
            _ = try Ed25519.PublicKey(text: text)
            return nil
        } catch {
            return error
        }
    }

    @Test("is the known answer for the seed 00 to 1f, there and back")
    func knownAnswer() throws {
        #expect(KeyTextTests.key?.text == KeyTextTests.text)
        #expect(try Ed25519.PublicKey(text: KeyTextTests.text) == KeyTextTests.key)
    }

    @Test("survives the way there and back for any key", arguments: 1...50 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let key = Ed25519.PublicKey(
            UInt256(first: random.next(), second: random.next(), third: random.next(), fourth: random.next())
        )
        #expect(key.text.utf8.count == 59)
        #expect(try Ed25519.PublicKey(text: key.text) == key)
    }

    @Test(
        "is refused with the reason, in any other form",
        arguments: [
            ("", KeyTextFault.prefix), ("sp1", .prefix), ("sp2-" + text.dropFirst(4), .prefix),
            ("SP1-" + text.dropFirst(4), .prefix), (" " + text, .prefix), (String(text.dropFirst(4)), .prefix),
            ("sp1-", .length(0)), (String(text.dropLast()), .length(54)), (text + "a", .length(56)),
            (text + "=", .length(56)), (text + "\n", .length(56)), (text.dropLast() + "é", .length(56)),
            ("sp1-" + text.dropFirst(4).uppercased(), .digit), (text.dropLast() + "A", .digit),
            (text.dropLast() + "0", .digit), (text.dropLast() + "1", .digit), (text.dropLast() + "8", .digit),
            (text.dropLast() + "=", .digit), (text.dropLast() + " ", .digit), (text.dropLast(2) + "é", .digit),
            // The last digit has three spare bits.
            (text.dropLast() + "b", .checksum), (text.dropLast() + "i", .checksum),
        ] as [(String, KeyTextFault)]
    )
    func refusals(text: String, fault: KeyTextFault) {
        #expect(KeyTextTests.fault(text) == fault)
    }

    @Test("is refused when any one digit is another, and when two that differ change places", arguments: 4..<59)
    func slips(index: Int) {
        var bytes = Array(KeyTextTests.text.utf8)
        let right = bytes[index]
        for digit in Array("abcdefghijklmnopqrstuvwxyz234567".utf8) where digit != right {
            bytes[index] = digit
            #expect(KeyTextTests.fault(String(decoding: bytes, as: UTF8.self)) == .checksum)
        }
        bytes[index] = right
        guard index + 1 < bytes.count, bytes[index] != bytes[index + 1] else { return }
        bytes.swapAt(index, index + 1)
        #expect(KeyTextTests.fault(String(decoding: bytes, as: UTF8.self)) == .checksum)
    }

    @Test("says what is wrong with it")
    func messages() {
        #expect(KeyTextFault.length(3).message == "has 3 characters behind sp1-, not 55")
        #expect(KeyTextFault.digit.message.contains("lower case"))
    }
}
