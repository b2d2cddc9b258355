/**
 * Lets the user keep a file: the system's save dialog in Electron, a download in the browser.
 * @returns where it went, for a person to read; null when the user cancelled.
 */
export async function saveFile(name: string, content: Blob): Promise<string | null> {
  if (window.spike !== undefined) {
    return window.spike.saveFile(name, new Uint8Array(await content.arrayBuffer()));
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The download has its own reference once the click was handled.
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  return name;
}
