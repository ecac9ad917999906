package import Primitives

extension DHTNode {
    /// Asks the nodes around a place in the key space which info-hashes they hold peers for (BEP 51).
    ///
    /// `.sampled` comes for each node that takes part, then `.finished`. A node is asked once; whoever asks again must
    /// wait for the interval that it named.
    package mutating func sample(
        around target: NodeID,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) -> LookupID {
        begin(.sample, target: target, at: now, into: &actions)
    }

    mutating func answerSample(
        _ message: Message,
        _ datagram: RawSpan,
        from sender: Endpoint,
        at now: Instant,
        into actions: inout DHTActionBuffer
    ) {
        guard message.body.target != nil else {
            return sendError(.invalidArguments, message, datagram, to: sender, into: &actions)
        }
        statistics.samplesAnswered += 1
        sample.refresh(from: peers, at: now, using: &random)
        let allowance = replyAllowance(to: datagram, from: sender.address, at: now)
        let room = max(0, allowance - ReplySize.sampleFixed - message.transaction.count)
        // Nodes lead on to the next sample, so they get their half of a room that is too small for both.
        named.trim(toBytes: max(room / 2, room - sample.infoHashes.count * UInt160.byteCount))
        let shown = sample.infoHashes.prefix(max(0, room - named.byteCount) / UInt160.byteCount)
        let interval = sample.interval(at: now)
        let total = peers.infoHashCount
        reply(to: message, datagram, sender, into: &actions) { [named] in
            $0.replySample(shown, of: total, interval: interval, named)
        }
    }

    /// Takes the sample of a node that answered.
    func sampled(_ body: MessageBody, in datagram: RawSpan, of node: Contact, by id: LookupID) -> DHTAction? {
        NodeSample(body, of: node, in: datagram, atMost: limits.samplesRead).map { .sampled(id, $0) }
    }
}
