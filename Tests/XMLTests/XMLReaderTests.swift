import Testing
import XML

@Suite("Reading XML")
struct XMLReaderTests {
    private func read(_ text: String) throws(XMLError) -> [XMLElement] {
        try XMLReader.elements(in: Array(text.utf8))
    }

    private func fault(of text: String) -> XMLError? {
        do throws(XMLError) {
            _ = try read(text)
            return nil
        } catch {
            return error
        }
    }

    @Test("elements come in the order in which they begin, each with its depth, its text, and no prefix")
    func elements() throws {
        let text = """
            <?xml version="1.0"?>
            <a:root xmlns:a="urn:x" xmlns="urn:y">
                <!-- a remark -->
                <name lang="en">A &amp; B &#x43;</name>
                <list><a:item> one </a:item><item><![CDATA[<two>]]></item><item/></list>
            </a:root>
            """
        #expect(
            try read(text) == [
                XMLElement("root", depth: 0), XMLElement("name", depth: 1, text: "A & B C"),
                XMLElement("list", depth: 1), XMLElement("item", depth: 2, text: "one"),
                XMLElement("item", depth: 2, text: "<two>"), XMLElement("item", depth: 2),
            ]
        )
    }

    @Test("the text of an element is its own, in pieces before and after its children")
    func ownText() throws {
        #expect(
            try read("<a> one <b>two</b> three </a>") == [
                XMLElement("a", depth: 0, text: "one  three"), XMLElement("b", depth: 1, text: "two"),
            ]
        )
    }

    @Test("a prefix need not be declared, and what is behind its last colon is the name")
    func prefixes() throws {
        #expect(try read("<s:a><u:v:b/></s:a>").map(\.name) == ["a", "b"])
    }

    @Test("blanks before the declaration and zeros behind the end are put up with")
    func padding() throws {
        #expect(try read("\r\n <?xml version='1.0'?><a>b</a>\r\n\0\0") == [XMLElement("a", depth: 0, text: "b")])
    }

    @Test("an older encoding is read as it is declared")
    func encoding() throws {
        let bytes = Array("<?xml version='1.0' encoding='ISO-8859-1'?><a>B".utf8) + [0xfc] + Array("rger</a>".utf8)
        #expect(try XMLReader.elements(in: bytes) == [XMLElement("a", depth: 0, text: "Bürger")])
    }

    @Test(
        "what is not well-formed is refused",
        arguments: [
            "", " \r\n", "\0\0", "text", "<a>", "<a></b>", "<a/><b/>", "<a>&nbsp;</a>", "<a>& b</a>", "<a b/>",
            "<a></a> trailing", "<?xml version='1.0' encoding='EBCDIC-X'?><a/>", "<a>\u{1}</a>", "<:/>x",
        ]
    )
    func malformed(text: String) {
        #expect(fault(of: text) == .malformed)
    }

    @Test("bytes that are no text are refused")
    func noText() {
        #expect(throws: XMLError.malformed) { try XMLReader.elements(in: [UInt8]("<a>".utf8) + [0xff, 0xfe]) }
    }

    @Test(
        "a document type is refused, whatever it says: entities would let a line grow to gigabytes, or read files",
        arguments: [
            "<!DOCTYPE a><a/>", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
            "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'><!ENTITY d '&c;&c;'>]><a>&d;&d;</a>",
        ]
    )
    func documentType(text: String) {
        #expect(fault(of: text) == .documentType)
    }

    @Test("elements may be 16 deep, no deeper", arguments: [(16, nil), (17, XMLError.tooDeep), (8192, .tooDeep)])
    func depth(count: Int, expected: XMLError?) {
        let text = String(repeating: "<a>", count: count) + String(repeating: "</a>", count: count)
        #expect(fault(of: text) == expected)
    }

    @Test("64 KiB of nothing but beginnings end at the depth too")
    func openOnly() {
        #expect(fault(of: String(repeating: "<a>", count: 21_845)) == .tooDeep)
    }

    @Test("2048 elements, no more", arguments: [(2047, nil), (2048, XMLError.tooManyElements)])
    func count(children: Int, expected: XMLError?) {
        #expect(fault(of: "<a>" + String(repeating: "<b/>", count: children) + "</a>") == expected)
    }

    @Test("4 KiB of text, no more, but for blanks before it", arguments: [(4096, nil), (4097, XMLError.textTooLong)])
    func text(length: Int, expected: XMLError?) {
        let text = String(repeating: " ", count: 5000) + String(repeating: "x", count: length)
        #expect(fault(of: "<a>" + text + "</a>") == expected)
    }

    @Test("64 KiB, no more", arguments: [(65_529, nil), (65_530, XMLError.tooLong)])
    func length(blanks: Int, expected: XMLError?) {
        #expect(fault(of: "<a>" + String(repeating: " ", count: blanks) + "</a>") == expected)
    }

    @Test("each fault is words for a person")
    func words() {
        let faults: [XMLError] = [
            .expatMissing, .tooLong, .tooDeep, .tooManyElements, .textTooLong, .documentType, .malformed,
        ]
        #expect(Set(faults.map(\.description)).count == faults.count)
    }
}
