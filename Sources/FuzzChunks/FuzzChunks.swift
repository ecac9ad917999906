import Primitives
import TrackerProtocol

/// Feeds one input to a conversation of the text protocol: each piece is a length byte and so many bytes; a length of 255 is a
/// pause.
///
/// The same input is read as a `local_chunks.txt` as well.
///
/// However the words are cut, what was understood must read again as the same, and every deadline must come to an end.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    // Safe: libFuzzer hands over `count` readable bytes for the time of the call.
    let input = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    var limits = ChunkLimits()
    limits.mostClients = 8
    limits.mostRegistrations = 32
    var table = ChunkTable(limits: limits)
    var now = Instant.zero
    var conversation = ChunkConversation(with: .loopbackV4, limits: limits, now: now)
    var actions: [ChunkConversation.Action] = []
    var index = 0
    while index < input.count {
        let length = Int(input[index])
        index += 1
        if length == 255 {
            now = conversation.nextDeadline
            conversation.advanced(to: now, table: &table, into: &actions)
        } else {
            let end = min(index + length, input.count)
            conversation.received(Array(input[index..<end]).span.bytes, at: now, table: &table, into: &actions)
            index = end
        }
    }
    conversation.ended(at: now, table: &table, into: &actions)
    for case .heard(let line) in actions { precondition(ChunkLine(line.description) == line) }
    precondition(table.clientCount <= 8 && table.registrationCount <= 32)
    let closes = actions.filter { if case .close = $0 { true } else { false } }
    precondition(closes.count == 1 && actions.last == closes.last)
    table.expire(at: now + limits.lifetime)
    precondition(table.clientCount == 0 && table.registrationCount == 0 && table.sets.isEmpty)
    readList(input)
    return 0
}

/// A list that is believed names files inside its folder alone, and reads again as the same.
private func readList(_ input: [UInt8]) {
    guard let list = try? ChunkList(parsing: input) else { return }
    for (chunk, name) in list.files {
        precondition((1...list.chunkCount).contains(chunk))
        precondition(!name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/")))
    }
    precondition(list.missing.count + list.files.count == list.chunkCount)
    precondition((try? ChunkList(parsing: Array(list.text.utf8))) == list)
}
