const storageKey = 'spike.token';

/**
 * The key to the agent: once in the fragment of the URL that was opened (`/#token=…`), from then on in the storage of
 * this tab, and no longer in the address bar, where it would be copied and shared.
 */
export function takeToken(): string | null {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = fragment.get('token');
  if (given === null) return sessionStorage.getItem(storageKey);
  sessionStorage.setItem(storageKey, given);
  const view = fragment.get('view');
  history.replaceState(null, '', location.pathname + location.search + (view === null ? '' : `#/${view}`));
  return given;
}
