@testable import Shoal
import Testing

@testable import shoal

@Suite("Answers of the DHT")
struct DHTAnswerTests {
    static let node = DHTContact(nodeID: someHash, address: "192.0.2.9:6881")

    /// What an answer writes to standard output, as a person and as a script reads it.
    static func printed(
        json: Bool,
        _ write: (DHTAnswer<ConsoleDouble>) throws(ShoalError) -> Void
    ) throws(ShoalError) -> (output: String, errors: String) {
        let console = ConsoleDouble()
        try write(DHTAnswer(json: json, isQuiet: false, console: console))
        return (console.output, console.errors)
    }

    static func item(_ value: String, sequence: Int64? = nil, salt: String = "") -> DHTItem {
        DHTItem(
            target: someHash,
            value: Array(value.utf8),
            key: sequence == nil ? nil : someKey,
            salt: Array(salt.utf8),
            sequence: sequence,
            signature: sequence == nil ? nil : someKey + someKey
        )
    }

    @Test("a count is rounded, and says who counted")
    func scrape() throws {
        let scrape = DHTScrape(seeds: 11.6, peers: 0.99, sources: 8, refused: 1)
        let person = try DHTAnswerTests.printed(json: false) { answer throws(ShoalError) in
            try answer.scraped(someHash, scrape)
        }
        #expect(person.output == "about 12 seeds and 1 peer, as 8 nodes counted\n")
        let script = try DHTAnswerTests.printed(json: true) { answer throws(ShoalError) in
            try answer.scraped(someHash, scrape)
        }
        #expect(
            script.output
                == #"{"event":"scrape","info_hash":"\#(someHash)","seeds":12,"peers":1,"nodes":8,"refused":1}"# + "\n"
        )
    }

    @Test(
        "a holder is a line",
        arguments: [
            (
                DHTHolder.State.answered, "Client 1", 7, 10, false,
                "192.0.2.9:6881        Client 1: 7 of 10 pieces, 70 %\n"
            ),
            (.answered, "Client 1", 10, 10, true, "192.0.2.9:6881        Client 1: 10 of 10 pieces, all\n"),
            (
                .answered, nil, nil, nil, false,
                "192.0.2.9:6881        unknown: pieces unknown, for nobody gave the metadata\n"
            ),
            (.silent, nil, nil, 10, false, "192.0.2.9:6881        silent\n"),
            (.refused, nil, nil, 10, false, "192.0.2.9:6881        refused\n"),
        ] as [(DHTHolder.State, String?, Int?, Int?, Bool, String)]
    )
    func holders(state: DHTHolder.State, client: String?, pieces: Int?, total: Int?, isSeed: Bool, line: String) throws
    {
        let holder = DHTHolder(
            address: "192.0.2.9:6881",
            state: state,
            client: client,
            pieces: pieces,
            total: total,
            isSeed: isSeed
        )
        let printed = try DHTAnswerTests.printed(json: false) { answer throws(ShoalError) in
            try answer.finding(.holder(holder), of: someHash)
        }
        #expect(printed.output == line)
    }

    @Test("a holder is an object that says where the knowledge comes from")
    func holderObject() throws {
        let holder = DHTHolder(
            address: "192.0.2.9:6881",
            state: .answered,
            client: "c",
            pieces: 7,
            total: 10,
            isSeed: false
        )
        let printed = try DHTAnswerTests.printed(json: true) { answer throws(ShoalError) in
            try answer.finding(.holder(holder), of: someHash)
        }
        #expect(
            printed.output == #"{"event":"have","info_hash":"\#(someHash)","address":"192.0.2.9:6881","#
                + #""state":"answered","client":"c","pieces":7,"total":10,"seed":false,"verified":false,"#
                + #""source":"peer"}"# + "\n"
        )
    }

    @Test(
        "a value is text where it can be, else hexadecimal digits",
        arguments: [
            ("12:Hello World!", "Hello World!"), ("2:\u{1b}[", "1b5b"), ("0:", ""), ("i42e", "i42e"),
            ("d1:ai1ee", "d1:ai1ee"), ("l2:\u{7}xe", "6c323a077865"), ("6:grün!", "grün!"),
        ]
    )
    func values(value: String, shown: String) throws {
        let printed = try DHTAnswerTests.printed(json: false) { answer throws(ShoalError) in
            try answer.item(DHTAnswerTests.item(value), isRaw: false)
        }
        #expect(printed.output == shown + "\n")
    }

    @Test("--raw writes the bytes and nothing else")
    func raw() throws {
        let printed = try DHTAnswerTests.printed(json: false) { answer throws(ShoalError) in
            try answer.item(DHTAnswerTests.item("3:a\nb"), isRaw: true)
        }
        #expect(printed.output == "a\nb")
    }

    @Test("an item is an object with its version and signature")
    func itemObject() throws {
        let printed = try DHTAnswerTests.printed(json: true) { answer throws(ShoalError) in
            try answer.item(DHTAnswerTests.item("2:hi", sequence: 7, salt: "n"), isRaw: false)
        }
        #expect(
            printed.output == #"{"event":"item","target":"\#(someHash)","key":"\#(someKey)","salt_hex":"6e","seq":7,"#
                + #""signature":"\#(someKey)\#(someKey)","value":"hi","value_hex":"323a6869"}"# + "\n"
        )
    }

    @Test("what was stored is its name on standard output, and how to find it on standard error")
    func stored() throws {
        let refusal = DHTReceipt.Refusal(code: 302, text: "old", nodes: 1)
        let receipt = DHTReceipt(
            item: DHTAnswerTests.item("2:hi", sequence: 7, salt: "a b"),
            nodes: 8,
            refusals: [refusal]
        )
        let person = try DHTAnswerTests.printed(json: false) { answer throws(ShoalError) in try answer.stored(receipt) }
        #expect(person.output == someKey + "\n")
        #expect(
            person.errors == "stored on 8 nodes, version 7; 1 node refused it: 302 old\nFind it with:\n"
                + "  shoal dht get \(someKey) --salt 'a b'\n"
        )
        let script = try DHTAnswerTests.printed(json: true) { answer throws(ShoalError) in try answer.stored(receipt) }
        #expect(
            script.output == #"{"event":"stored","target":"\#(someHash)","key":"\#(someKey)","salt_hex":"612062","#
                + #""seq":7,"nodes":8,"refused":1,"code":302,"reason":"old"}"# + "\n"
        )
    }

    @Test("a sample is a node and its info-hashes")
    func sample() throws {
        let sample = DHTSample(node: DHTAnswerTests.node, infoHashes: [someHash], total: 200, interval: 600)
        let person = try DHTAnswerTests.printed(json: false) { answer throws(ShoalError) in try answer.sample(sample) }
        #expect(person.output == "\(someHash)  192.0.2.9:6881  holds 200 info-hashes\n  \(someHash)\n")
        let script = try DHTAnswerTests.printed(json: true) { answer throws(ShoalError) in try answer.sample(sample) }
        #expect(
            script.output == #"{"event":"sample","node_id":"\#(someHash)","address":"192.0.2.9:6881","#
                + #""info_hashes":["\#(someHash)"],"total":200,"interval_s":600}"# + "\n"
        )
    }

    @Test("a table is its buckets, then its nodes")
    func table() throws {
        let bucket = DHTBucket(family: "ipv6", sharedBits: 3, good: 8, questionable: 2, bad: 1, replacements: 4)
        let table = DHTTable(buckets: [bucket], contacts: [DHTAnswerTests.node])
        let person = try DHTAnswerTests.printed(json: false) { answer throws(ShoalError) in try answer.table(table) }
        #expect(
            person.output == """
                family  shared bits  good  questionable  bad  waiting
                ipv6              3     8             2    1        4
                \(someHash)  192.0.2.9:6881

                """
        )
        let script = try DHTAnswerTests.printed(json: true) { answer throws(ShoalError) in try answer.table(table) }
        let lines = script.output.split(separator: "\n")
        #expect(
            lines == [
                #"{"event":"bucket","family":"ipv6","shared_bits":3,"good":8,"questionable":2,"bad":1,"replacements":4}"#,
                #"{"event":"contact","node_id":"0123456789abcdef0123456789abcdef01234567","address":"192.0.2.9:6881"}"#,
            ]
        )
    }
}
