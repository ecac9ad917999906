/// What a datagram of BEP 15 is about, in questions and answers alike.
enum UDPAction: UInt32 {
    case connect = 0
    case announce = 1
    case scrape = 2
    case error = 3
}
