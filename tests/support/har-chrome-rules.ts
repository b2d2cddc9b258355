// What Chrome's DevTools demand of a HAR file before they show any of it. A copy, in words and checks, of the conversions in
// devtools-frontend, front_end/models/har/HARFormat.ts: each constructor throws at what it cannot convert, and one throw
// refuses the whole file. Stricter than Chrome in one thing: where Chrome would turn null, true or '' into a number, a real
// number is demanded, since that is never what was meant.

export interface BrokenRule {
  /** Where: `log.entries[3].response.status`. */
  readonly at: string;
  readonly reason: string;
}

type Values = Record<string, unknown>;

/** All rules that a parsed file breaks; none for a file that Chrome opens. */
export function brokenChromeRules(har: unknown): BrokenRule[] {
  const broken: BrokenRule[] = [];
  const check = createChecks(broken);
  const root = check.object(har, '');
  const log = check.object(root['log'], 'log');
  check.object(log['creator'], 'log.creator');
  if (!Array.isArray(log['entries'])) {
    broken.push({ at: 'log.entries', reason: 'HARLog: "log.entries is expected to be an array"' });
    return broken;
  }
  // A `pages` that is no array counts as none: then all entries are shown without a page.
  if (Array.isArray(log['pages']))
    log['pages'].forEach((page, i) => checkPage(page, `log.pages[${i}]`, check));
  log['entries'].forEach((entry: unknown, i: number) => checkEntry(entry, `log.entries[${i}]`, check));
  return broken;
}

type Checks = ReturnType<typeof createChecks>;

function createChecks(broken: BrokenRule[]) {
  const say = (at: string, reason: string) => broken.push({ at, reason });
  return {
    object(value: unknown, at: string): Values {
      if (typeof value === 'object' && value !== null) return value as Values;
      say(at, 'HARBase: "First parameter is expected to be an object"');
      return {};
    },
    number(of: Values, name: string, at: string): void {
      if (typeof of[name] === 'number' && Number.isFinite(of[name])) return;
      say(`${at}.${name}`, 'HARBase.safeNumber: "Casting to number results in NaN"');
    },
    optionalNumber(of: Values, name: string, at: string): void {
      if (name in of) this.number(of, name, at);
    },
    date(of: Values, name: string, at: string): void {
      if (!Number.isNaN(new Date(of[name] as string).getTime())) return;
      say(`${at}.${name}`, 'HARBase.safeDate: "Invalid date format"');
    },
    string(of: Values, name: string, at: string): void {
      // String(undefined) does not throw, and is shown as the word "undefined".
      if (typeof of[name] !== 'string')
        say(`${at}.${name}`, 'is shown as it is converted, so a string is needed');
    },
  };
}

function checkPage(value: unknown, at: string, check: Checks): void {
  const page = check.object(value, at);
  check.date(page, 'startedDateTime', at);
  check.string(page, 'id', at);
  check.string(page, 'title', at);
  const timings = check.object(page['pageTimings'], `${at}.pageTimings`);
  for (const name of ['onContentLoad', 'onLoad']) check.optionalNumber(timings, name, `${at}.pageTimings`);
}

function checkEntry(value: unknown, at: string, check: Checks): void {
  const entry = check.object(value, at);
  check.date(entry, 'startedDateTime', at);
  check.number(entry, 'time', at);
  checkRequest(entry['request'], `${at}.request`, check);
  checkResponse(entry['response'], `${at}.response`, check);
  const timings = check.object(entry['timings'], `${at}.timings`);
  for (const name of ['send', 'wait', 'receive']) check.number(timings, name, `${at}.timings`);
  for (const name of ['blocked', 'dns', 'connect', 'ssl'])
    check.optionalNumber(timings, name, `${at}.timings`);
  // importInitiator: typeof null is 'object', and a HARInitiator of null throws.
  if ('_initiator' in entry) check.object(entry['_initiator'], `${at}._initiator`);
  const messages = entry['_webSocketMessages'];
  if (Array.isArray(messages))
    messages.forEach((message, i) => checkMessage(message, `${at}._webSocketMessages[${i}]`, check));
}

function checkMessage(value: unknown, at: string, check: Checks): void {
  const message = check.object(value, at);
  for (const name of ['time', 'opcode']) check.optionalNumber(message, name, at);
}

function checkRequest(value: unknown, at: string, check: Checks): void {
  const request = check.object(value, at);
  for (const name of ['method', 'url', 'httpVersion']) check.string(request, name, at);
  checkLists(request, ['cookies', 'headers', 'queryString'], at, check);
  if (request['postData'])
    check.string(check.object(request['postData'], `${at}.postData`), 'mimeType', `${at}.postData`);
  for (const name of ['headersSize', 'bodySize']) check.number(request, name, at);
}

function checkResponse(value: unknown, at: string, check: Checks): void {
  const response = check.object(value, at);
  for (const name of ['status', 'headersSize', 'bodySize']) check.number(response, name, at);
  for (const name of ['statusText', 'httpVersion', 'redirectURL']) check.string(response, name, at);
  checkLists(response, ['cookies', 'headers'], at, check);
  const content = check.object(response['content'], `${at}.content`);
  check.number(content, 'size', `${at}.content`);
  check.optionalNumber(content, 'compression', `${at}.content`);
  check.string(content, 'mimeType', `${at}.content`);
  check.optionalNumber(response, '_transferSize', at);
}

function checkLists(of: Values, names: readonly string[], at: string, check: Checks): void {
  for (const name of names) {
    if (!Array.isArray(of[name])) continue;
    (of[name] as unknown[]).forEach((value, i) => {
      const pair = check.object(value, `${at}.${name}[${i}]`);
      check.string(pair, 'name', `${at}.${name}[${i}]`);
      check.string(pair, 'value', `${at}.${name}[${i}]`);
      // An expiry that is no date throws as well.
      if (name === 'cookies' && pair['expires']) check.date(pair, 'expires', `${at}.${name}[${i}]`);
    });
  }
}
