import { useEffect, useImperativeHandle, useRef } from 'react';
import { html } from '@codemirror/lang-html';
import { json } from '@codemirror/lang-json';
import { codeFolding, foldGutter, foldKeymap, syntaxHighlighting } from '@codemirror/language';
import { openSearchPanel, search, searchKeymap } from '@codemirror/search';
import { EditorState } from '@codemirror/state';
import type { Extension } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { codeColours } from './code-colours.ts';
import './code-view.css';

export interface CodeViewHandle {
  /** Opens the search of the text. */
  find(): void;
}

interface CodeViewProps {
  text: string;
  language: 'json' | 'html' | 'text';
  ref?: React.Ref<CodeViewHandle>;
}

/** Text to read, with folding and search; CodeMirror draws the lines in sight only, so its length does not matter. */
export function CodeView({ text, language, ref }: CodeViewProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  useEffect(() => {
    if (host.current === null) return;
    const made = new EditorView({ doc: text, extensions: readingExtensions(language), parent: host.current });
    view.current = made;
    return () => made.destroy();
  }, [text, language]);
  useImperativeHandle(ref, () => ({
    find: () => {
      if (view.current !== null) openSearchPanel(view.current);
    },
  }));
  return <div className="code-view" ref={host} />;
}

function readingExtensions(language: CodeViewProps['language']): Extension[] {
  return [
    EditorState.readOnly.of(true),
    EditorView.contentAttributes.of({ 'aria-label': 'Body', 'aria-readonly': 'true', tabindex: '0' }),
    lineNumbers(),
    search({ top: true }),
    keymap.of([...searchKeymap, ...foldKeymap]),
    syntaxHighlighting(codeColours),
    ...(language === 'text' ? [] : [codeFolding(), foldGutter()]),
    ...(language === 'json' ? [json()] : []),
    ...(language === 'html' ? [html(), EditorView.lineWrapping] : []),
  ];
}
