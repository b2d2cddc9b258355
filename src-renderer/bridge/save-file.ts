/**
 * Lets the user keep a file: the system's save dialog in Electron, a download in the browser.
 * @returns where it went, for a person to read; null when the user cancelled.
 */
export async function saveFile(name: string, content: Blob): Promise<string | null> {
  if (window.spike !== undefined) {
    const bytes = new Uint8Array(await content.arrayBuffer());
    return window.spike.saveFile(name, bytes).catch((error: unknown) => {
      throw new Error(reasonOf(error));
    });
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The download has its own reference once the click was handled.
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  return name;
}

/** Electron puts "Error invoking remote method 'name': Error: " before what the main process threw. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^Error invoking remote method '[^']*': (Error: )?/, '');
}
