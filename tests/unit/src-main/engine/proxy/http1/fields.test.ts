import { describe, expect, it } from 'vitest';
import {
  getAllFields,
  getField,
  removeField,
  setField,
  splitFields,
} from '../../../../../../src-main/engine/proxy/http1/fields.ts';

const sample = () => ['Host', 'x', 'Set-Cookie', 'a', 'x-a', '1', 'set-cookie', 'b'];

describe('flat fields', () => {
  it('are found without regard to case, values not being names', () => {
    expect(getField(sample(), 'SET-COOKIE')).toBe('a');
    expect(getAllFields(sample(), 'Set-cookie')).toEqual(['a', 'b']);
    expect(getField(sample(), 'a')).toBeNull();
    expect(getField([], 'a')).toBeNull();
  });

  it('are set in place, and made one', () => {
    const fields = sample();
    setField(fields, 'SET-Cookie', 'c');
    expect(fields).toEqual(['Host', 'x', 'Set-Cookie', 'c', 'x-a', '1']);
    setField(fields, 'New', 'n');
    expect(fields.slice(-2)).toEqual(['New', 'n']);
  });

  it('are removed with all their duplicates', () => {
    const fields = sample();
    expect(removeField(fields, 'set-cookie')).toBe(2);
    expect(fields).toEqual(['Host', 'x', 'x-a', '1']);
    expect(removeField(fields, 'set-cookie')).toBe(0);
  });

  it('are split with only SP and HTAB trimmed', () => {
    expect(splitFields('A: \t b:c \t\r\nD:\u00a0e\u00a0\r\nF:\r\n\r\nG: h\r\n', 0)).toEqual([
      ...['A', 'b:c'],
      ...['D', '\u00a0e\u00a0'],
      ...['F', ''],
    ]);
  });
});
