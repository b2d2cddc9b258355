import { ChevronsUpDown, Check } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import type { WorkspaceStatus } from '#shared/contract/status.ts';
import { useStatus } from '../stores/status-store.ts';
import { chooseTheme, themeChoices, useTheme } from '../stores/theme-store.ts';
import { showToast } from '../stores/toast-store.ts';
import { Icon } from '../ui/icon.tsx';

const stateWords: Record<WorkspaceStatus['state'], string> = {
  saved: 'saved',
  unsaved: 'not saved',
  invalid: 'not applied',
  none: 'no file',
};

const themeLabels = { system: 'As the system', dark: 'Dark', light: 'Light' } as const;

/** Which workspace this is and whether its file holds what is in force; the colours of the window. */
export function WorkspaceMenu() {
  const workspace = useStatus((store) => store.status?.workspace);
  return (
    <>
      <DropdownMenu.Root>
        <DropdownMenu.Trigger className="btn ghost sm" aria-label="Workspace">
          <span className="clip">{workspace?.name ?? 'workspace'}</span>
          <Icon of={ChevronsUpDown} className="t3" />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content className="pop menu" align="start" sideOffset={4}>
            {workspace !== undefined && workspace.path !== null && <PathItem path={workspace.path} />}
            <ThemeItems />
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      {workspace && <FileState workspace={workspace} />}
    </>
  );
}

function FileState({ workspace }: { workspace: WorkspaceStatus }) {
  const file = workspace.path?.split(/[\\/]/).at(-1);
  const state = stateWords[workspace.state];
  const tone = workspace.state === 'invalid' ? 'error' : 't3';
  return <span className={`xs wide clip ${tone}`}>{file === undefined ? state : `${file}, ${state}`}</span>;
}

function PathItem({ path }: { path: string }) {
  const copy = async () => {
    await navigator.clipboard.writeText(path);
    showToast({ tone: 'info', text: 'The path was copied' });
  };
  return (
    <>
      <DropdownMenu.Label>{path}</DropdownMenu.Label>
      <DropdownMenu.Item onSelect={() => void copy()}>Copy path</DropdownMenu.Item>
      <DropdownMenu.Separator />
    </>
  );
}

function ThemeItems() {
  const choice = useTheme((store) => store.choice);
  return (
    <DropdownMenu.RadioGroup value={choice}>
      <DropdownMenu.Label>Colours</DropdownMenu.Label>
      {themeChoices.map((theme) => (
        <DropdownMenu.RadioItem key={theme} value={theme} onSelect={() => chooseTheme(theme)}>
          {themeLabels[theme]}
          <DropdownMenu.ItemIndicator>
            <Icon of={Check} />
          </DropdownMenu.ItemIndicator>
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}
