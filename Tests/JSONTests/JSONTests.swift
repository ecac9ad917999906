import JSON
import Testing

@Suite("JSON")
struct JSONTests {
    private func read(_ text: String) throws(JSONError) -> JSONValue { try JSONReader.read(Array(text.utf8)) }

    private func error(_ text: String) -> JSONError? {
        do throws(JSONError) {
            _ = try read(text)
            return nil
        } catch {
            return error
        }
    }

    @Test("every kind of value is read, and written back")
    func kinds() throws {
        let text = ##"{"a":[1,-20,0,2.5,true,false,null],"b":{},"c":[],"d":"x\"\\ä😀","":"e"}"##
        let value = try read(text)
        #expect(value["a"] == [1, -20, 0, .number(2.5), true, false, .null])
        #expect(value["d"]?.string == "x\"\\ä😀")
        #expect(value[""]?.string == "e")
        #expect(value["f"] == nil)
        #expect(JSONWriter.text(value) == text)
    }

    @Test("space stands between tokens alone")
    func space() throws {
        #expect(try read(" { \"a\" :\t[ 1 ,\n2 ] }\r\n") == ["a": [1, 2]])
        #expect(error("1 2") == .trailing(at: 2))
        #expect(error("tr ue") == .unexpected(at: 2))
    }

    @Test("escapes are read, halves of characters are not")
    func escapes() throws {
        #expect(try read(##""\"\\\/\b\f\n\r\t\u0041\u00e4\ud83d\ude00""##) == "\"\\/\u{8}\u{c}\n\r\tAä😀")
        for text in [##""\ud83d""##, ##""\ud83dx""##, ##""\ude00""##, ##""\ud83d\u0041""##, ##""\x""##, ##""\u00g0""##]
        {
            guard case .badString = error(text) else {
                Issue.record("read \(text)")
                continue
            }
        }
        #expect(error("\"a\nb\"") == .badString(at: 2))
        #expect(throws: JSONError.badString(at: 0)) { try JSONReader.read([34, 0xc3, 34]) }
        #expect(JSONWriter.text("\u{0}\u{1f}\u{7f}\n") == ##""\u0000\u001f\u007f\u000a""##)
    }

    @Test(
        "numbers are those of the grammar",
        arguments: [
            ("9223372036854775807", JSONValue.integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("1e2", .number(100)), ("-0", .integer(0)),
            ("1.25E-1", .number(0.125)),
        ]
    )
    func numbers(text: String, value: JSONValue) throws {
        #expect(try read(text) == value)
    }

    @Test(
        "what is no JSON is refused with its place",
        arguments: [
            ("", JSONError.unexpectedEnd), ("{", .unexpectedEnd), ("[1,", .unexpectedEnd), ("[1,]", .unexpected(at: 3)),
            ("{\"a\":1,}", .unexpected(at: 7)), ("{a:1}", .unexpected(at: 1)), ("{\"a\" 1}", .unexpected(at: 5)),
            ("[1}", .unexpected(at: 2)), ("01", .badNumber(at: 0)), ("-", .badNumber(at: 0)),
            ("--1", .badNumber(at: 0)),
            ("1.", .badNumber(at: 0)), ("1e", .badNumber(at: 0)), (".5", .unexpected(at: 0)),
            ("+1", .unexpected(at: 0)),
            ("NaN", .unexpected(at: 0)), ("1e999", .badNumber(at: 0)), ("'a'", .unexpected(at: 0)),
            ("{\"a\":1,\"a\":2}", .duplicateName(at: 7)), ("\"a", .unexpectedEnd), ("// x", .unexpected(at: 0)),
        ]
    )
    func faults(text: String, fault: JSONError) {
        #expect(error(text) == fault)
    }

    @Test("depth, values and members have limits (R9)")
    func limits() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(error(deep) == .tooDeep(at: 16))
        #expect(error(String(repeating: "[", count: 16) + String(repeating: "]", count: 16)) == nil)
        let wide = "{" + (0..<300).map { "\"\($0)\":1" }.joined(separator: ",") + "}"
        guard case .tooMany = error(wide) else { return #expect(Bool(false), "too many members were read") }
        #expect(error(String(repeating: "1", count: 65)) == .badNumber(at: 0))
        var limits = JSONLimits()
        limits.values = 3
        #expect(throws: JSONError.tooMany(at: 5)) { try JSONReader.read(Array("[1,2,3]".utf8), limits: limits) }
    }
}
