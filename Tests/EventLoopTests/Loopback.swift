import Primitives

let loopback = IPAddress.loopbackV4
