import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/**
 * Who may import whom is an error from the first day, without a list of exceptions (docs/adr/0002): the folder is the
 * permission. Each entry names what a folder may not reach.
 */
const parts = {
  shared: String.raw`^#shared/|src-shared`,
  control: String.raw`(^|/)\.\./(\.\./)*control/`,
  shell: String.raw`(^|/)\.\./(\.\./)*shell/`,
  cli: String.raw`(^|/)\.\./(\.\./)*cli/`,
  agent: String.raw`(^|/)\.\./(\.\./)*agent/`,
  workspace: String.raw`(^|/)\.\./(\.\./)*workspace/`,
  main: String.raw`src-main/`,
  renderer: String.raw`src-renderer/`,
  electron: String.raw`^electron($|/)`,
  node: String.raw`^node:`,
  io: String.raw`^node:(net|tls|fs|dns|http|https|http2|dgram|timers|child_process|worker_threads|cluster)(/|$)`,
};

function forbid(entries) {
  return ['error', { patterns: entries.map(([regex, message]) => ({ regex, message })) }];
}

const noIo = [
  [parts.io, 'No I/O in here: it belongs to engine/io (style: who may import whom).'],
  [
    String.raw`(^|/)\.\./(\.\./)*io/`,
    'Protocols and rules know io only by the interfaces of proxy/ports.ts.',
  ],
];
const engineOnly = [
  [parts.electron, 'The engine runs without Electron.'],
  [parts.control, 'The engine does not know who asks it.'],
  [parts.shell, 'The engine does not know its shells.'],
  [parts.cli, 'The engine does not know its shells.'],
  [parts.agent, 'The engine does not know its shells.'],
  [parts.workspace, 'The engine is told its settings; it reads no workspace file.'],
  [parts.renderer, 'The engine does not know the window.'],
];

export default tseslint.config(
  {
    ignores: [
      'out',
      'dist',
      'node_modules',
      'test-results',
      'playwright-report',
      'coverage',
      'tests/fixtures',
    ],
  },
  ...tseslint.configs.recommended,
  {
    languageOptions: { globals: { ...globals.node } },
    rules: {
      'no-console': 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
      eqeqeq: 'error',
      'prefer-const': 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
    },
  },
  {
    files: ['src-main/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ['src-shared/**/*.ts'],
    rules: {
      'no-restricted-imports': forbid([
        [parts.node, 'src-shared runs in the window as well.'],
        [parts.electron, 'src-shared runs everywhere.'],
        [parts.main, 'src-shared imports nothing of ours.'],
        [parts.renderer, 'src-shared imports nothing of ours.'],
      ]),
    },
  },
  {
    files: ['src-main/**/*.ts'],
    rules: {
      'no-restricted-imports': forbid([[parts.renderer, 'The main process does not know the window.']]),
    },
  },
  { files: ['src-main/engine/**/*.ts'], rules: { 'no-restricted-imports': forbid(engineOnly) } },
  {
    files: ['src-main/engine/proxy/**/*.ts', 'src-main/engine/rules/**/*.ts'],
    rules: {
      'no-restricted-imports': forbid([...engineOnly, ...noIo]),
      'no-restricted-globals': [
        'error',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'performance',
        'process',
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Time is injected (engine/clock.ts).' },
        { object: 'Math', property: 'random', message: 'Chance is injected (engine/clock.ts).' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Time is injected (engine/clock.ts).',
        },
      ],
    },
  },
  {
    files: ['src-main/control/**/*.ts', 'src-main/workspace/**/*.ts'],
    rules: {
      'no-restricted-imports': forbid([
        [parts.electron, 'Control runs without Electron.'],
        [parts.shell, 'Control does not know its shells.'],
        [parts.cli, 'Control does not know its shells.'],
        [parts.agent, 'Control does not know its shells.'],
        [parts.renderer, 'Control does not know the window.'],
      ]),
    },
  },
  {
    files: ['src-preload/**/*.ts'],
    rules: {
      'no-restricted-imports': forbid([
        [parts.node, 'A sandboxed preload has electron and nothing else.'],
        [parts.main, 'The preload imports shared and electron only.'],
        [parts.renderer, 'The preload imports shared and electron only.'],
      ]),
    },
  },
  {
    files: ['src-renderer/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': reactHooks },
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      ...reactHooks.configs.recommended.rules,
      'no-restricted-imports': forbid([
        [parts.node, 'The window has no Node.'],
        [parts.electron, 'The window reaches Electron by its bridge only.'],
        [parts.main, 'The window imports src-shared only.'],
      ]),
    },
  },
  {
    files: ['src-renderer/features/**/*.{ts,tsx}'],
    rules: {
      'no-restricted-imports': forbid([
        [parts.node, 'The window has no Node.'],
        [parts.electron, 'The window reaches Electron by its bridge only.'],
        [parts.main, 'The window imports src-shared only.'],
        [
          String.raw`(^|/)\.\./(live|map|charts|faults|captures|playback|findings|setup|settings)/`,
          'Features do not import one another.',
        ],
        [String.raw`features/`, 'Features do not import one another.'],
      ]),
    },
  },
  {
    files: ['src-renderer/{stores,ui}/**/*.{ts,tsx}'],
    rules: {
      'no-restricted-imports': forbid([
        [parts.main, 'The window imports src-shared only.'],
        [String.raw`features/`, 'Stores and ui know no feature.'],
      ]),
    },
  },
  {
    // Programs that talk to a terminal.
    files: ['scripts/**', 'bench/**', 'examples/**', 'src-main/cli/**', 'tests/**'],
    rules: { 'no-console': 'off', 'max-lines-per-function': 'off' },
  },
  { files: ['tests/**', 'bench/**'], rules: { 'max-lines': 'off' } },
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
);
