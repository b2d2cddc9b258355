/** How a system, a browser or a runtime is told to trust Spike's CA. Commands take the file where the agent keeps it. */
export interface TrustGuide {
  readonly id: string;
  readonly label: string;
  readonly note: string;
  /** Lines to run; empty where it is done by hand. */
  commands(caPath: string, proxyAddress: string): readonly string[];
}

export const trustGuides: readonly TrustGuide[] = [
  {
    id: 'debian',
    label: 'Debian',
    note: 'Debian, Ubuntu and their like: for curl, OpenSSL, Python’s ssl, Go. Browsers keep stores of their own.',
    commands: (ca) => [
      `sudo cp ${inShell(ca)} /usr/local/share/ca-certificates/spike-ca.crt`,
      'sudo update-ca-certificates',
    ],
  },
  {
    id: 'fedora',
    label: 'Fedora',
    note: 'Fedora, RHEL and their like. Browsers keep stores of their own.',
    commands: (ca) => [
      `sudo cp ${inShell(ca)} /etc/pki/ca-trust/source/anchors/spike-ca.pem`,
      'sudo update-ca-trust',
    ],
  },
  {
    id: 'macos',
    label: 'macOS',
    note: 'Asks for your password. Safari and Chrome follow the keychain; Firefox does not.',
    commands: (ca) => [
      `security add-trusted-cert -r trustRoot -p ssl -k ~/Library/Keychains/login.keychain-db ${inShell(ca)}`,
    ],
  },
  {
    id: 'windows',
    label: 'Windows',
    note: 'For your account alone. Edge and Chrome follow this store; Firefox does not.',
    commands: (ca) => [`certutil -user -addstore Root "${ca}"`],
  },
  {
    id: 'firefox',
    label: 'Firefox',
    note: 'Settings, Privacy & Security, View Certificates, Authorities, Import: choose the file and tick “identify websites”. With certutil of NSS the same, for the profile in that folder:',
    commands: (ca) => [`certutil -A -d sql:PROFILE_FOLDER -n Spike -t C,, -i ${inShell(ca)}`],
  },
  {
    id: 'chromium',
    label: 'Chromium',
    note: 'A window of its own that trusts Spike alone and sends localhost through it as well; nothing stays behind.',
    commands: (ca, proxy) => [
      `chromium --user-data-dir="$(mktemp -d)" --proxy-server=${proxy} --proxy-bypass-list='<-loopback>' \\`,
      `  --ignore-certificate-errors-spki-list="$(openssl x509 -in ${inShell(ca)} -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64)"`,
    ],
  },
  {
    id: 'java',
    label: 'Java',
    note: 'A trust store to give to the JVM with -Djavax.net.ssl.trustStore=spike.p12 and -Djavax.net.ssl.trustStorePassword=changeit. spike run does it by itself.',
    commands: (ca) => [
      `keytool -importcert -noprompt -alias spike -file ${inShell(ca)} -keystore spike.p12 -storetype PKCS12 -storepass changeit`,
    ],
  },
];

/** A path as one word of a POSIX shell. */
export function inShell(path: string): string {
  return /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
