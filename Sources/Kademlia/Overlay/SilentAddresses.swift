import Primitives

/// Who did not answer when it was asked because of somebody's word, or not as one of our kind would: it is left alone for a
/// while (N19), for most peers of most torrents are mainline clients.
///
/// After a few silent ports of an address its other ports are not tried either, or a list of them would aim many readers'
/// packets at one host.
struct SilentAddresses {
    private struct Silence {
        var ports: [UInt16]
        var since: Instant
    }

    @SharedLimits private var limits: DHTLimits
    private var silences: LRUCache<IPAddress, Silence>

    init(limits shared: SharedLimits) {
        _limits = shared
        silences = LRUCache(capacity: shared.wrappedValue.records.silentAddresses)
    }

    func contains(_ endpoint: Endpoint, at now: Instant) -> Bool {
        guard let silence = silences.value(of: endpoint.address.host),
            now - silence.since < limits.records.silencePause
        else { return false }
        return silence.ports.contains(endpoint.port)
            || silence.ports.count >= limits.records.silentPorts && !limits.exempts(endpoint.address)
    }

    mutating func insert(_ endpoint: Endpoint, at now: Instant) {
        let host = endpoint.address.host
        var silence = silences.value(of: host) ?? Silence(ports: [], since: now)
        if now - silence.since >= limits.records.silencePause { silence = Silence(ports: [], since: now) }
        // Of an exempt address (D19), where a whole network may live, many ports are remembered.
        let most = limits.exempts(host) ? limits.records.silentAddresses : limits.records.silentPorts
        if !silence.ports.contains(endpoint.port), silence.ports.count < most { silence.ports.append(endpoint.port) }
        silences.insert(silence, for: host)
    }

    /// It answers after all.
    mutating func remove(_ endpoint: Endpoint) {
        guard silences.count > 0, var silence = silences.value(of: endpoint.address.host) else { return }
        silence.ports.removeAll { $0 == endpoint.port }
        if silence.ports.isEmpty {
            silences.remove(endpoint.address.host)
        } else {
            silences.insert(silence, for: endpoint.address.host)
        }
    }
}
