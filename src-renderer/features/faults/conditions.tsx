import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { matchProtocols } from '#shared/rules/match.ts';
import { useRoutes } from '../../stores/routes-store.ts';
import { Icon } from '../../ui/icon.tsx';
import { ChoiceField, KnownField, TextField } from './field.tsx';
import { closeCondition, newTest } from './match-draft.ts';
import type { BodyHow, ConditionKind, MatchDraft, MatchKey, TestDraft } from './match-draft.ts';
import type { Problems } from './rule-draft.ts';

/** `word` in the row of what can be added, `title` in the menu and over the condition. */
export const conditionTitles: Readonly<Record<ConditionKind, { word: string; title: string }>> = {
  host: { word: 'host', title: 'Host' },
  query: { word: 'query', title: 'Query' },
  header: { word: 'header', title: 'Header' },
  body: { word: 'body', title: 'Body of the request' },
  grpc: { word: 'gRPC method', title: 'gRPC service and method' },
  traceId: { word: 'trace', title: 'Trace' },
  status: { word: 'status', title: 'Status of the response' },
  protocol: { word: 'protocol', title: 'Protocol' },
  route: { word: 'route', title: 'Route' },
  listener: { word: 'listener', title: 'Listener' },
};

interface ConditionProps {
  match: MatchDraft;
  problems: Problems;
  onChange: (match: MatchDraft) => void;
}

/** The conditions that are open beyond the four main fields; each can be taken away. */
export function Conditions(props: ConditionProps) {
  return (
    <div className="conditions">
      {props.match.open.map((kind) => (
        <div key={kind} className="condition" role="group" aria-label={conditionTitles[kind].title}>
          <div className="grow">
            <Condition kind={kind} {...props} />
          </div>
          <RemoveButton
            what={conditionTitles[kind].title}
            onPress={() => props.onChange(closeCondition(props.match, kind))}
          />
        </div>
      ))}
    </div>
  );
}

export function RemoveButton({ what, onPress }: { what: string; onPress: () => void }) {
  return (
    <button className="btn ghost sm icon" aria-label={`Remove ${what}`} title="Remove" onClick={onPress}>
      <Icon of={X} />
    </button>
  );
}

function Condition({ kind, ...props }: ConditionProps & { kind: ConditionKind }): ReactNode {
  switch (kind) {
    case 'query':
    case 'header':
      return <TestRows of={kind} {...props} />;
    case 'body':
      return <BodyCondition {...props} />;
    case 'grpc':
      return (
        <div className="g2">
          <PatternField name="grpc.service" title="gRPC service" example="any: shop.Payments" {...props} />
          <PatternField name="grpc.method" title="gRPC method" example="any: Charge" {...props} />
        </div>
      );
    case 'protocol':
      return <ProtocolField {...props} />;
    case 'route':
    case 'listener':
      return <RouteField name={kind} {...props} />;
    case 'host':
      return <PatternField name="host" title="Host" example="*.example" {...props} />;
    case 'traceId':
      return (
        <PatternField name="traceId" title="Trace" example="32 hex digits, or a glob: 4bf92f35*" {...props} />
      );
    case 'status':
      return <PatternField name="status" title="Status" example="503, 5xx, 500-504" {...props} />;
  }
}

interface PatternFieldProps extends ConditionProps {
  name: MatchKey;
  title: string;
  example: string;
}

function PatternField({ name, title, example, match, problems, onChange }: PatternFieldProps) {
  return (
    <TextField
      title={title}
      mono
      value={match.texts[name]}
      placeholder={example}
      problem={problems[`match.${name}`]}
      onChange={(text) => onChange({ ...match, texts: { ...match.texts, [name]: text } })}
    />
  );
}

const protocolWords: Readonly<Record<string, string>> = {
  http: 'HTTP, neither gRPC nor WebSocket',
  grpc: 'gRPC',
  websocket: 'WebSocket',
  tcp: 'TCP, not opened',
};

function ProtocolField({ match, problems, onChange }: ConditionProps) {
  return (
    <ChoiceField
      title="Protocol"
      value={match.texts.protocol}
      choices={matchProtocols}
      words={protocolWords}
      problem={problems['match.protocol']}
      onChange={(protocol) => onChange({ ...match, texts: { ...match.texts, protocol } })}
    />
  );
}

function RouteField({ name, match, problems, onChange }: ConditionProps & { name: 'route' | 'listener' }) {
  const routes = useRoutes((store) => store.routes) ?? [];
  const names = routes.map((route) => route.name);
  return (
    <KnownField
      title={conditionTitles[name].title}
      value={match.texts[name]}
      options={name === 'listener' ? ['proxy', ...names] : names}
      placeholder={name === 'listener' ? 'proxy, or the name of a route' : 'the name of a route'}
      hint={name === 'listener' ? 'The port that the client used.' : 'The route that leads there.'}
      problem={problems[`match.${name}`]}
      onChange={(text) => onChange({ ...match, texts: { ...match.texts, [name]: text } })}
    />
  );
}

const testWords = { is: 'is', present: 'is there', absent: 'is not there' } as const;

function TestRows({ of, match, problems, onChange }: ConditionProps & { of: TestDraft['of'] }) {
  const put = (key: number, change: Partial<TestDraft>) =>
    onChange({
      ...match,
      tests: match.tests.map((test) => (test.key === key ? { ...test, ...change } : test)),
    });
  const rows = match.tests.filter((test) => test.of === of);
  const title = of === 'query' ? 'Parameter' : 'Field';
  return (
    <>
      {rows.map((test) => (
        <div key={test.key} className="test-row">
          <TextField
            title={title}
            mono
            value={test.name}
            placeholder={of === 'query' ? 'currency' : 'x-tenant'}
            problem={problems[`match.tests.${test.key}`]}
            onChange={(name) => put(test.key, { name })}
          />
          <ChoiceField
            title="Test"
            value={test.test}
            choices={Object.keys(testWords)}
            words={testWords}
            problem={undefined}
            onChange={(how) => put(test.key, { test: how as TestDraft['test'] })}
          />
          {test.test === 'is' ? (
            <TextField
              title="Value"
              mono
              value={test.value}
              placeholder="a text, a glob or /expression/"
              problem={undefined}
              onChange={(value) => put(test.key, { value })}
            />
          ) : (
            <span />
          )}
          {rows.length > 1 && (
            <RemoveButton
              what={`${title} ${test.name}`}
              onPress={() => onChange({ ...match, tests: match.tests.filter(({ key }) => key !== test.key) })}
            />
          )}
        </div>
      ))}
      <button
        className="link xs"
        onClick={() => onChange({ ...match, tests: [...match.tests, newTest(of)] })}
      >
        Another {of === 'query' ? 'parameter' : 'field'}
      </button>
    </>
  );
}

const bodyWords: Readonly<Record<BodyHow, string>> = {
  contains: 'contains',
  matches: 'matches the expression',
  'json-is': 'JSON: value is',
  'json-present': 'JSON: value is there',
  'json-absent': 'JSON: value is not there',
};
const bodyExamples: Readonly<Record<BodyHow, string>> = {
  contains: 'a text, case matters',
  matches: '(?i)visa|master',
  'json-is': '$.card.brand',
  'json-present': '$.card.brand',
  'json-absent': '$.card.brand',
};
const problemKeys: Readonly<Record<BodyHow, string>> = {
  contains: 'contains',
  matches: 'matches',
  'json-is': 'json',
  'json-present': 'json',
  'json-absent': 'json',
};

function BodyCondition({ match, problems, onChange }: ConditionProps) {
  const { body } = match;
  const put = (change: Partial<MatchDraft['body']>) => onChange({ ...match, body: { ...body, ...change } });
  return (
    <div className="g2">
      <ChoiceField
        title="Body"
        value={body.how}
        choices={Object.keys(bodyWords)}
        words={bodyWords}
        problem={problems['match.body']}
        hint="The body of the request. The call waits until enough of it is there."
        onChange={(how) => put({ how: how as BodyHow, spelledOut: false })}
      />
      <TextField
        title={body.how.startsWith('json') ? 'JSON path' : 'Text'}
        mono
        value={body.text}
        placeholder={bodyExamples[body.how]}
        problem={problems[`match.body.${problemKeys[body.how]}`]}
        onChange={(text) => put({ text })}
      />
      {body.how === 'json-is' && (
        <TextField
          title="Equals"
          mono
          value={body.equals}
          placeholder="visa, 5, true, null"
          hint="A number, true, false or null as JSON; anything else is a text."
          problem={problems['match.body.equals']}
          onChange={(equals) => put({ equals })}
        />
      )}
      <TextField
        title="Of the first"
        number
        unit="B"
        value={body.firstBytes}
        placeholder="65,536"
        hint="How much of the body is waited for and looked at."
        problem={problems['match.body.firstBytes']}
        onChange={(firstBytes) => put({ firstBytes })}
      />
    </div>
  );
}
