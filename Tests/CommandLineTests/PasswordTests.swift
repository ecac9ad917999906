import Shoal
import Testing

@testable import shoal

@Suite("Passwords")
struct PasswordTests {
    private func refusal(_ console: ConsoleDouble, file: String? = nil, isNew: Bool = false) async -> ShoalError? {
        do throws(ShoalError) {
            _ = try await Password.read(file: file, isNew: isNew, on: console)
            return nil
        } catch {
            return error
        }
    }

    @Test("a file's first line, else the environment, else the next line of the input")
    func sources() async throws {
        let console = ConsoleDouble(
            variables: ["SHOAL_PASSWORD": "from the environment"],
            files: ["f": Array("from a file\r\nmore".utf8)],
            input: ["from the input"]
        )
        #expect(try await Password.read(file: "f", isNew: true, on: console) == "from a file")
        #expect(try await Password.read(file: nil, isNew: true, on: console) == "from the environment")
        let pipe = ConsoleDouble(input: ["from the input", "next"])
        #expect(try await Password.read(file: nil, isNew: true, on: pipe) == "from the input")
        #expect(pipe.errors == "")
        #expect(await pipe.line(isSecret: false) == "next")
    }

    @Test("a person is asked, and twice for a new one")
    func person() async throws {
        let once = ConsoleDouble(input: ["secret"], isInputTerminal: true)
        #expect(try await Password.read(file: nil, isNew: false, on: once) == "secret")
        #expect(once.errors == "Password: " && once.output == "")
        let twice = ConsoleDouble(input: ["secret", "secret"], isInputTerminal: true)
        #expect(try await Password.read(file: nil, isNew: true, on: twice) == "secret")
        #expect(twice.errors == "Password: Again: ")
        let slip = await refusal(ConsoleDouble(input: ["secret", "secert"], isInputTerminal: true), isNew: true)
        #expect(slip?.message.hasPrefix("the two passwords are not the same") == true)
    }

    @Test("none at all, an empty one and a far too long one are refused")
    func refused() async {
        #expect(await refusal(ConsoleDouble())?.message.hasPrefix("a password is needed") == true)
        #expect(await refusal(ConsoleDouble(input: [""]))?.message == "the password in the input is empty")
        let long = String(repeating: "x", count: 1025)
        #expect(await refusal(ConsoleDouble(input: [long]))?.message.hasSuffix("longer than 1024 bytes") == true)
        #expect(await refusal(ConsoleDouble(isInputTerminal: true))?.message == "no password was typed")
        #expect(await refusal(ConsoleDouble(files: ["f": []]), file: "f")?.message == "the password in 'f' is empty")
    }
}
