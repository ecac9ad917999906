import Cryptography
import Primitives
import SecurePeer

/// libFuzzer's entry: a byte that says whom a stranger speaks to, one for the size of the pieces, then what it says.
///
///     0  a responder, open     1  one with a private swarm     2  an initiator, open     3  one in a private swarm
///     4  a session: steps, each a byte of choice, a length, and so many bytes
///
/// All keys are those of the design's known answers, so that its messages are seeds which get through. A broken promise
/// ends the process.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    // Safe: libFuzzer passes `count` readable bytes.
    let input = unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    guard input.count >= 2 else { return 0 }
    let bytes = Array(input.dropFirst(2))
    switch input[0] % 5 {
    case 0, 1: hear(responder(isPrivate: input[0] % 5 == 1), bytes, chunk: max(1, Int(input[1])))
    case 2, 3: hear(initiator(isPrivate: input[0] % 5 == 3), bytes, chunk: max(1, Int(input[1])))
    default: talk(bytes[...])
    }
    return 0
}

// MARK: Handshakes

private let unixSeconds: Int64 = 1_700_000_000

/// Bytes that count upwards.
private func counting(from first: UInt8) -> [UInt8] { (0..<32).map { first &+ $0 } }

private func identity(seed: UInt8, staticKey: UInt8) -> SessionIdentity? {
    guard let key = Ed25519.SigningKey(seed: counting(from: seed).span.bytes) else { return nil }
    return SessionIdentity(key, at: unixSeconds, staticKey: X25519.PrivateKey(counting(from: staticKey).span.bytes))
}

private let alice = identity(seed: 0, staticKey: 0x40)
private let bob = identity(seed: 0x20, staticKey: 0xc0)
private let alicesEphemeralKey = X25519.PrivateKey(counting(from: 0x10).span.bytes)
private let bobsEphemeralKey = X25519.PrivateKey(counting(from: 0x90).span.bytes)
private let swarmKey = SwarmKey([UInt8](repeating: 7, count: 32).span.bytes)
private let greeting = Greeting(capabilities: 0x10_0005, client: "SP 0.1", listenPort: 6881)

private func initiator(isPrivate: Bool) -> SecureHandshake? {
    guard let alice, let swarmKey else { return nil }
    return SecureHandshake(
        initiating: SwarmTag(.max),
        as: alice,
        mode: isPrivate ? .privateSwarm(swarmKey) : .open,
        greeting: greeting,
        now: .zero,
        ephemeralKey: alicesEphemeralKey
    )
}

private func responder(isPrivate: Bool) -> SecureHandshake? {
    guard let bob, let swarmKey else { return nil }
    return SecureHandshake(
        respondingAs: bob,
        swarmKeys: isPrivate ? [swarmKey] : [],
        acceptsOpen: !isPrivate,
        greeting: greeting,
        now: .zero,
        ephemeralKey: bobsEphemeralKey
    )
}

/// The driver's part, with all that a stranger says, a piece at a time; after the handshake its records.
private func hear(_ handshake: consuming SecureHandshake?, _ input: [UInt8], chunk: Int) {
    guard var handshake = handshake.take() else { return }
    var output = ByteWriter()
    var rest = input[...]
    var buffer: [UInt8] = []
    do throws(SecureFault) {
        try handshake.start(into: &output)
        while true {
            let unread = buffer
            let step = try handshake.next(in: unread.span.bytes, at: .zero, unixSeconds: unixSeconds, into: &output)
            precondition(step.consumed >= 0 && step.consumed <= buffer.count, "read more than there was")
            precondition(step.event == nil || step.consumed > 0, "met somebody in nothing")
            precondition(handshake.neededByteCount <= 1027, "a stranger makes us wait for too much")
            buffer.removeFirst(step.consumed)
            if step.event != nil { break }
            if step.consumed > 0 { continue }
            guard !rest.isEmpty else { return }
            buffer += rest.prefix(chunk)
            rest = rest.dropFirst(chunk)
        }
        var session = try handshake.agree(into: &output, at: .zero)
        precondition(output.count <= 1024, "we have said too much")
        hearRecords(&session, buffer + rest)
    } catch {
        precondition(!error.description.isEmpty, "a fault without words")
        precondition(output.count <= 1024, "we have said too much")
    }
}

private func hearRecords(_ session: inout SecureSession, _ input: [UInt8]) {
    var buffer = input
    while true {
        let count = buffer.count
        var span = buffer.mutableSpan
        var room = span.mutableBytes
        do throws(SecureFault) {
            let step = try session.open(&room, at: .zero)
            guard let record = step.record else { return }
            precondition(step.consumed <= count && step.consumed >= 19, "read more than there was")
            if case .data(let range) = record {
                precondition(range.lowerBound == 3 && range.upperBound == step.consumed - 16, "a body elsewhere")
            }
            let consumed = step.consumed
            buffer.removeFirst(consumed)
        } catch {
            return
        }
    }
}

// MARK: Records

/// Two ends of a session without a network between them.
private struct Ends: ~Copyable {
    var alice: SecureSession
    var bob: SecureSession

    init?() {
        guard var initiator = initiator(isPrivate: false), var responder = responder(isPrivate: false) else {
            return nil
        }
        var (toBob, toAlice) = (ByteWriter(), ByteWriter())
        do throws(SecureFault) {
            try initiator.start(into: &toBob)
            let hello = toBob.take()
            _ = try responder.next(in: hello.span.bytes, at: .zero, unixSeconds: unixSeconds, into: &toAlice)
            _ = try initiator.next(in: toAlice.bytes.span.bytes, at: .zero, unixSeconds: unixSeconds, into: &toBob)
            let alice = try initiator.agree(into: &toBob, at: .zero)
            _ = try responder.next(in: toBob.bytes.span.bytes, at: .zero, unixSeconds: unixSeconds, into: &toAlice)
            bob = try responder.agree(into: &toAlice, at: .zero)
            self.alice = alice
        } catch {
            return nil
        }
    }
}

/// What one end says to the other as the input has it: whole, with a bit flipped, or in another's place.
private func talk(_ input: ArraySlice<UInt8>) {
    guard var ends = Ends() else {
        precondition(false, "two who should agree do not")
        return
    }
    var rest = input
    while let choice = rest.popFirst(), let length = rest.popFirst() {
        let body = Array(rest.prefix(Int(length)))
        rest = rest.dropFirst(body.count)
        var record = [UInt8](repeating: 0, count: body.count + SecureSession.overheadByteCount)
        guard seal(body, choice & 4 == 0 ? .data : .padding, into: &record, &ends.alice) else { return }
        let isChanged = choice & 3 == 3
        // Not in the length: a longer record is waited for.
        if isChanged { record[2 + Int(length) % (record.count - 2)] ^= 1 << (choice >> 5) }
        guard open(&record, &ends.bob, isChanged: isChanged, isData: choice & 4 == 0) else { return }
        precondition(choice & 4 != 0 || Array(record[3..<3 + body.count]) == body, "heard something else than was said")
    }
}

private func seal(
    _ body: [UInt8],
    _ type: RecordType,
    into record: inout [UInt8],
    _ end: inout SecureSession
) -> Bool {
    var span = record.mutableSpan
    var room = span.mutableBytes
    do throws(SecureFault) {
        try end.seal(type, into: &room) { $0.append(body.span.bytes) }
        return true
    } catch {
        precondition(false, "a record was not sealed")
        return false
    }
}

/// Whether the session goes on.
private func open(_ record: inout [UInt8], _ end: inout SecureSession, isChanged: Bool, isData: Bool) -> Bool {
    let count = record.count
    var span = record.mutableSpan
    var room = span.mutableBytes
    do throws(SecureFault) {
        let step = try end.open(&room, at: .zero)
        precondition(!isChanged, "a changed record was opened")
        precondition(step.consumed == count && step.record == (isData ? .data(3..<count - 16) : .padding))
        return true
    } catch {
        precondition(isChanged && error == .tampered, "a record was not opened")
        return false
    }
}
