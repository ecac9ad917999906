import PortMapping
import Primitives
import Testing

@Suite("Routes of the kernel")
struct RouteTableTests {
    private static let head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"

    private static func row(
        _ destination: String = "00000000",
        gateway: String = "0101A8C0",
        flags: String = "0003",
        metric: String = "100",
        mask: String = "00000000"
    ) -> String {
        "eth0\t\(destination)\t\(gateway)\t\(flags)\t0\t0\t\(metric)\t\(mask)\t0\t0\t0\n"
    }

    @Test("the default gateway is the one with the least metric")
    func preferred() {
        let text =
            RouteTableTests.head + RouteTableTests.row(gateway: "0201A8C0", metric: "600")
            + RouteTableTests.row("0001A8C0", gateway: "00000000", flags: "0001", mask: "00FFFFFF")
            + RouteTableTests.row()
        #expect(RouteTable.defaultGateway(in: text) == IPAddress("192.168.1.1"))
    }

    @Test(
        "what is no default route by a gateway is none",
        arguments: [
            "", head, row("0001A8C0"), row(mask: "00FFFFFF"), row(flags: "0001"), row(flags: "0002"),
            row(gateway: "00000000"), row(metric: "x"), "eth0\t00000000\t0101A8C0\n", row(gateway: "1010101010"),
        ]
    )
    func none(text: String) {
        #expect(RouteTable.defaultGateway(in: text) == nil)
    }
}
