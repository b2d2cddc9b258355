import { contextBridge, ipcRenderer } from 'electron';
import { channels, portMessageType } from '#shared/contract/bridge.ts';
import type { SpikeBridge } from '#shared/contract/bridge.ts';

/** The bridge: no logic. A page gets four functions and a port, and never `ipcRenderer` itself. */
const bridge: SpikeBridge = {
  platform: process.platform as SpikeBridge['platform'],
  requestPort: () => ipcRenderer.send(channels.requestPort),
  saveFile: (name, bytes) => ipcRenderer.invoke(channels.saveFile, name, bytes) as Promise<string | null>,
  showFile: (path) => ipcRenderer.send(channels.showFile, path),
  setTheme: (theme) => ipcRenderer.send(channels.setTheme, theme),
};
contextBridge.exposeInMainWorld('spike', bridge);

// A port cannot pass the context bridge; it is handed to the page as a message of the window (Electron, "MessagePorts").
ipcRenderer.on(channels.port, (event) => {
  window.postMessage({ type: portMessageType }, window.location.origin, event.ports);
});
