/// What gateways say, in texts of our own that are built as theirs are.
enum GatewayText {
    static let ip1 = "urn:schemas-upnp-org:service:WANIPConnection:1"
    static let ip2 = "urn:schemas-upnp-org:service:WANIPConnection:2"
    static let ppp1 = "urn:schemas-upnp-org:service:WANPPPConnection:1"

    /// An answer to a search.
    static func answer(
        status: String = "HTTP/1.1 200 OK",
        target: String = "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
        location: String
    ) -> String {
        [
            status, "CACHE-CONTROL: max-age=120", "ST: \(target)", "USN: uuid:0b3c::\(target)", "EXT:",
            "SERVER: Linux/5.10 UPnP/1.1 Gateway/2.0", "LOCATION: \(location)", "", "",
        ].joined(separator: "\r\n")
    }

    /// A gateway: a device in a device in a device, and deep inside the services that map ports.
    static func description(base: String? = nil, services: [(type: String, control: String)] = [(ip1, "/ctl/IPConn")])
        -> String
    {
        let lines = services.map { service in
            """
            <service><serviceType>\(service.type)</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>
            <controlURL>\(service.control)</controlURL><eventSubURL>/evt/IPConn</eventSubURL>
            <SCPDURL>/WANIPCn.xml</SCPDURL></service>
            """
        }
        return """
            <?xml version="1.0"?>
            <root xmlns="urn:schemas-upnp-org:device-1-0">
            <specVersion><major>1</major><minor>1</minor></specVersion>
            \(base.map { "<URLBase>\($0)</URLBase>" } ?? "")
            <device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType>
            <friendlyName>The router &amp; friends</friendlyName>
            <serviceList><service>
            <serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType>
            <controlURL>/ctl/L3F</controlURL></service></serviceList>
            <deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType>
            <serviceList><service>
            <serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1</serviceType>
            <controlURL>/ctl/CmnIfCfg</controlURL></service></serviceList>
            <deviceList><device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType>
            <serviceList>\(lines.joined())</serviceList>
            </device></deviceList></device></deviceList></device></root>
            """
    }

    /// The reply to a call that was carried out.
    static func reply(_ name: String, _ values: [(name: String, value: String)] = []) -> String {
        let values = values.map { "<\($0.name)>\($0.value)</\($0.name)>" }.joined()
        return """
            <?xml version="1.0"?>\r
            <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">
            <s:Body><u:\(name)Response xmlns:u="\(ip1)">\(values)</u:\(name)Response></s:Body></s:Envelope>
            """
    }

    static func status(_ status: String) -> String {
        reply("GetStatusInfo", [("NewConnectionStatus", status), ("NewUptime", "1000")])
    }

    static func externalAddress(_ address: String) -> String {
        reply("GetExternalIPAddress", [("NewExternalIPAddress", address)])
    }

    static func entry(port: String, client: String, enabled: String = "1", lease: String = "0") -> String {
        reply(
            "GetSpecificPortMappingEntry",
            [
                ("NewInternalPort", port), ("NewInternalClient", client), ("NewEnabled", enabled),
                ("NewPortMappingDescription", "somebody"), ("NewLeaseDuration", lease),
            ]
        )
    }

    /// What a gateway says that is connected as 203.0.113.7 and does what it is asked.
    static func success(_ name: String) -> String {
        switch name {
        case "GetStatusInfo": status("Connected")
        case "GetExternalIPAddress": externalAddress("203.0.113.7")
        default: reply(name)
        }
    }

    static func fault(_ code: Int, _ words: String) -> String {
        """
        <s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>
        <faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring>
        <detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>\(code)</errorCode>
        <errorDescription>\(words)</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>
        """
    }
}
