import PortMapping
import Testing

@Suite("Port mapping")
struct PortMappingTests {
    @Test(
        "each fault is a sentence for a person",
        arguments: [PortMappingFault.noGateway, .noAnswer, .refused("not authorised"), .malformed]
    )
    func sentences(fault: PortMappingFault) {
        #expect(fault.sentence.split(separator: " ").count > 3)
    }
}
