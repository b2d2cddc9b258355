import { useState } from 'react';
import { ChevronDown, Layers } from 'lucide-react';
import { Popover } from 'radix-ui';
import { literalPattern } from '#shared/rules/pattern.ts';
import { presetRule, presets } from '#shared/rules/presets.ts';
import type { Preset } from '#shared/rules/presets.ts';
import { useTopology } from '../../stores/topology-store.ts';
import { Combobox } from '../../ui/combobox.tsx';
import { Icon } from '../../ui/icon.tsx';
import { startNewRuleFrom } from './draft-store.ts';
import { faultIcon } from './fault-icons.ts';

/** Failures by name. The calls are chosen first; the rule opens in the editor, and nothing happens until it is saved. */
export function PresetsMenu() {
  const [open, setOpen] = useState(false);
  const [callee, setCallee] = useState('');
  const [caller, setCaller] = useState('');
  const topology = useTopology((store) => store.topology);
  const edges = topology?.edges ?? [];
  const callees = [...new Set(edges.map((edge) => edge.callee))].sort();
  const toCallee = edges.filter((edge) => callee === '' || edge.callee === callee);
  const callers = [...new Set(toCallee.map((edge) => edge.caller))].sort();
  const isBytes = callee !== '' && toCallee.length > 0 && toCallee.every((edge) => edge.protocol === 'tcp');
  const take = (preset: Preset) => {
    setOpen(false);
    const ends = { caller: patternOf(caller, callers), callee: patternOf(callee, callees) };
    startNewRuleFrom(presetRule(preset, ends));
  };
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger className="btn" aria-label="Presets" title="Presets">
        <Icon of={Layers} />
        <span className="presets-word">Presets</span>
        <Icon of={ChevronDown} className="t3" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="pop presets" align="start" sideOffset={4} aria-label="Presets">
          <div className="g2 preset-ends">
            <div className="f">
              <span aria-hidden>Calls to</span>
              <Combobox
                label="Calls to"
                value={callee}
                options={callees}
                placeholder="any callee"
                onChange={setCallee}
              />
            </div>
            <div className="f">
              <span aria-hidden>From</span>
              <Combobox
                label="From"
                value={caller}
                options={callers}
                placeholder="any caller"
                onChange={setCaller}
              />
            </div>
          </div>
          <ul aria-label="Presets">
            {presets.map((preset) => (
              <li key={preset.id}>
                <PresetButton
                  preset={preset}
                  disabled={preset.needsHttp && isBytes}
                  onTake={() => take(preset)}
                />
              </li>
            ))}
          </ul>
          <p className="xs t3 preset-foot">Opens as a new rule; nothing happens until it is saved and on.</p>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

/** A name that is known is meant as it is; what else is typed is a pattern, as in the form. */
function patternOf(text: string, known: readonly string[]): string | null {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  return known.includes(trimmed) ? literalPattern(trimmed) : trimmed;
}

interface PresetButtonProps {
  preset: Preset;
  disabled: boolean;
  onTake: () => void;
}

function PresetButton({ preset, disabled, onTake }: PresetButtonProps) {
  return (
    <button
      className="fault-option"
      aria-label={preset.title}
      aria-description={preset.description}
      disabled={disabled}
      title={disabled ? 'It needs HTTP, and these calls are bytes that are not opened.' : undefined}
      onClick={onTake}
    >
      <Icon of={faultIcon(preset.icon)} className="fault" />
      <span className="nowrap">{preset.title}</span>
      <span className="xs t3 clip">{preset.description}</span>
    </button>
  );
}
