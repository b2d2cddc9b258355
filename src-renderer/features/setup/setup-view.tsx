/** Not drawn yet. */
export function SetupView() {
  return (
    <div className="toolbar">
      <h1>Setup</h1>
    </div>
  );
}
