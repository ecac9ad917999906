import Cryptography
import Primitives

/// A node's word that it holds a key, given to one querier for one question (`sp_id`; secure-peer.md, "Proof of binding").
///
/// What is signed names the question, the node's identifier and the querier as the node sees it. Who relays a question in
/// order to pass for somebody else gets an answer in which it is the querier itself, and it sits at an address that
/// makes another identifier from the key.
struct BindingProof: Hashable, Sendable {
    let key: Ed25519.PublicKey
    let signature: Ed25519.Signature

    /// Answers a question; `nil` where no memory can be locked for the signature.
    init?(of question: UInt256, as id: NodeID, to querier: Endpoint, with key: Ed25519.SigningKey) {
        let signed = BindingProof.signedBytes(question, id, querier)
        guard let signature = key.signature(of: signed.span.bytes) else { return nil }
        self.key = key.publicKey
        self.signature = signature
    }

    /// Reads a reply; `nil` where a field is missing or has another length.
    init?(_ body: MessageBody, in datagram: RawSpan) {
        guard let key = body.key, let signature = body.signature, key.count == Ed25519.PublicKey.byteCount,
            signature.count == Ed25519.Signature.byteCount,
            let key = Ed25519.PublicKey(datagram, at: key.lowerBound),
            let signature = Ed25519.Signature(datagram, at: signature.lowerBound)
        else { return nil }
        self.key = key
        self.signature = signature
    }

    /// Whether it shows that `node` holds the key: the identifier is the key's for that address, and the signature is of
    /// our question.
    ///
    /// - Parameter querier: we, as the node says it sees us; the caller must know that it may be true.
    func shows(_ node: Contact, answering question: UInt256, to querier: Endpoint) -> Bool {
        guard NodeIDSource(key).mayGo(by: node.id, at: node.endpoint.address) else { return false }
        let signed = BindingProof.signedBytes(question, node.id, querier)
        return Ed25519.verify(signature, of: signed.span.bytes, by: key)
    }

    static func signedBytes(_ question: UInt256, _ id: NodeID, _ querier: Endpoint) -> [UInt8] {
        var writer = ByteWriter(capacity: 96)
        writer.append("SecPeer v1 node binding\0")
        question.write(to: &writer)
        id.value.write(to: &writer)
        querier.writeCompact(to: &writer)
        return writer.bytes
    }
}
