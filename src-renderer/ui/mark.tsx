/** Spike's mark. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 18 18" aria-hidden>
      <path
        d="M1 11.5h4.2L7.6 2.2l3 13.4 2-7.2.9 3.1H17"
        fill="none"
        stroke="var(--text-1)"
        strokeWidth="1.7"
        strokeLinejoin="round"
        strokeLinecap="round"
      />
    </svg>
  );
}
