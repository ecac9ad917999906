import CExpat

/// What expat calls while it reads: keeps the elements, and stops it at the first limit.
final class ElementCollector {
    private let parser: OpaquePointer
    private(set) var elements: [XMLElement] = []
    private(set) var fault: XMLError?
    /// The elements that have begun and not ended, from the root on, each with its text so far.
    private var open: [(index: Int, text: [UInt8])] = []

    init(parser: OpaquePointer) {
        unsafe self.parser = unsafe parser
    }

    /// Whether expat read it to the end without complaint.
    func parse(_ document: ArraySlice<UInt8>) -> Bool {
        // Safe: expat calls back only from inside `XML_Parse` below, where `self` lives.
        unsafe XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
        setCallbacks()
        return document.withUnsafeBytes { bytes in
            // Safe: expat reads `bytes.count` bytes, which are at most 64 KiB, and keeps none of them.
            let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            return unsafe XML_Parse(parser, start, Int32(clamping: bytes.count), 1) == XML_STATUS_OK
        }
    }

    private func setCallbacks() {
        // Safe: names are terminated, texts as long as expat says, and both outlive the call that they are handed to.
        unsafe XML_SetElementHandler(
            parser,
            { context, name, _ in
                guard let name = unsafe name else { return }
                unsafe ElementCollector.from(context)?.begin(String(cString: name))
            },
            { context, _ in unsafe ElementCollector.from(context)?.end() }
        )
        unsafe XML_SetCharacterDataHandler(parser) { context, start, count in
            let text = unsafe UnsafeRawBufferPointer(start: start, count: Int(count))
            unsafe ElementCollector.from(context)?.append(text)
        }
        unsafe XML_SetStartDoctypeDeclHandler(parser) { context, _, _, _, _ in
            unsafe ElementCollector.from(context)?.stop(.documentType)
        }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> ElementCollector? {
        // Safe: `parse` set it, and holds the object meanwhile.
        unsafe context.map { unsafe Unmanaged<ElementCollector>.fromOpaque($0).takeUnretainedValue() }
    }

    /// After this expat may still call once or twice, for what it has in hand.
    private func stop(_ fault: XMLError) {
        if self.fault == nil { self.fault = fault }
        unsafe XML_StopParser(parser, 0)
    }

    private func begin(_ name: String) {
        guard fault == nil else { return }
        guard open.count < XMLReader.mostDepth else { return stop(.tooDeep) }
        guard elements.count < XMLReader.mostElements else { return stop(.tooManyElements) }
        let localName = name.utf8.lastIndex(of: UInt8(ascii: ":")).map { name[name.index(after: $0)...] } ?? name[...]
        open.append((elements.count, []))
        elements.append(XMLElement(String(localName), depth: open.count - 1))
    }

    /// Blanks before a text do not count: between its children an element may be indented as it likes.
    private func append(_ text: UnsafeRawBufferPointer) {
        guard fault == nil, let last = open.indices.last else { return }
        let kept = unsafe open[last].text.isEmpty ? text.drop(while: XMLReader.isBlank) : text[...]
        guard unsafe open[last].text.count + kept.count <= XMLReader.mostTextBytes else { return stop(.textTooLong) }
        unsafe open[last].text.append(contentsOf: kept)
    }

    private func end() {
        guard fault == nil, let (index, text) = open.popLast() else { return }
        let count = (text.lastIndex { !XMLReader.isBlank($0) } ?? -1) + 1
        elements[index].text = String(decoding: text.prefix(count), as: UTF8.self)
    }
}
