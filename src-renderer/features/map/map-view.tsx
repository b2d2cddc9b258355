/** Not drawn yet. */
export function MapView() {
  return (
    <div className="toolbar">
      <h1>Map</h1>
    </div>
  );
}
