/** What the order says, and the keys; below the last rule. */
export function ListFoot() {
  return (
    <div className="list-foot xs t3">
      <p>
        Tried from the top: every rule that hits a call acts on it, in this order. One that answers or breaks
        off leaves nothing to those below.
      </p>
      <div className="row list-keys">
        <Key of="Space">on or off</Key>
        <Key of="E">edit</Key>
        <Key of="N">new</Key>
        <Key of="D">duplicate</Key>
        <Key of="Alt ↑↓">move</Key>
      </div>
    </div>
  );
}

function Key({ of, children }: { of: string; children: string }) {
  return (
    <span>
      <kbd>{of}</kbd> {children}
    </span>
  );
}
