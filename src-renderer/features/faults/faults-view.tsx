/** Not drawn yet. */
export function FaultsView() {
  return (
    <div className="toolbar">
      <h1>Faults</h1>
    </div>
  );
}
