/// An element of a document: its name, where it stands, its text.
package struct XMLElement: Hashable, Sendable {
    /// Without the prefix of its namespace: who writes them mixes them up.
    package let name: String
    /// How many elements it is in; 0 for the root. Its children follow it, up to the next that is no deeper.
    package let depth: Int
    /// Its own, without that of its children and without blanks around it.
    package var text: String

    package init(_ name: String, depth: Int, text: String = "") {
        self.name = name
        self.depth = depth
        self.text = text
    }
}
