import type { ReactNode } from 'react';
import { RadioGroup } from 'radix-ui';

interface SegmentsProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; label: ReactNode }[];
  onChange: (value: T) => void;
}

/** One of a few, all in sight. Arrows move between them. */
export function Segments<T extends string>({ label, value, options, onChange }: SegmentsProps<T>) {
  const choose = (next: string) => {
    const option = options.find((offered) => offered.value === next);
    if (option) onChange(option.value);
  };
  return (
    <RadioGroup.Root
      className="seg"
      aria-label={label}
      value={value}
      orientation="horizontal"
      onValueChange={choose}
    >
      {options.map((option) => (
        <RadioGroup.Item key={option.value} value={option.value}>
          {option.label}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}
