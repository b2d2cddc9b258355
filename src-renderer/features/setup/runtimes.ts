/** What `spike run` gives to a command, by runtime, and what it cannot give (design: interop). */
export interface Runtime {
  readonly id: string;
  readonly label: string;
  /** What is run after `--`: an example. */
  readonly command: string;
  /** The variables that matter to it. */
  readonly variables: readonly string[];
  readonly note: string;
}

export const runtimes: readonly Runtime[] = [
  {
    id: 'node',
    label: 'Node',
    command: 'npm start',
    variables: ['HTTP_PROXY', 'HTTPS_PROXY', 'NODE_USE_ENV_PROXY', 'NODE_EXTRA_CA_CERTS'],
    note: 'Node 22.21 and 24 go by these; an older one needs a route, or a proxy agent of its own.',
  },
  {
    id: 'python',
    label: 'Python',
    command: 'python app.py',
    variables: ['HTTP_PROXY', 'HTTPS_PROXY', 'REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE'],
    note: 'aiohttp needs trust_env=True; http.client alone knows no proxy: add a route for it.',
  },
  {
    id: 'go',
    label: 'Go',
    command: 'go run .',
    variables: ['HTTP_PROXY', 'HTTPS_PROXY', 'SSL_CERT_FILE'],
    note: 'Go skips a proxy for localhost: add a route for those calls. On macOS and Windows it trusts the system store alone.',
  },
  {
    id: 'java',
    label: 'Java',
    command: 'java -jar app.jar',
    variables: ['JAVA_TOOL_OPTIONS'],
    note: 'It holds the proxy, an empty list of hosts without one, and a trust store made from Spike’s CA.',
  },
  {
    id: 'curl',
    label: 'curl',
    command: 'curl https://example.com/',
    variables: ['http_proxy', 'HTTPS_PROXY', 'CURL_CA_BUNDLE'],
    note: 'curl reads http_proxy in lower case only.',
  },
  {
    id: 'ruby',
    label: 'Ruby',
    command: 'bundle exec rails server',
    variables: ['http_proxy', 'HTTPS_PROXY', 'SSL_CERT_FILE'],
    note: 'Ruby skips a proxy for localhost: add a route for those calls.',
  },
  {
    id: 'dotnet',
    label: '.NET',
    command: 'dotnet run',
    variables: ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'SSL_CERT_FILE'],
    note: 'SSL_CERT_FILE counts on Linux; elsewhere .NET trusts the system store alone.',
  },
];
