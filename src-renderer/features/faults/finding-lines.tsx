import { Info, TriangleAlert } from 'lucide-react';
import type { RuleFinding } from '#shared/rules/rule-findings.ts';
import { moveRule } from '../../stores/rules-store.ts';
import { openView } from '../../stores/view-store.ts';
import { Icon } from '../../ui/icon.tsx';

/** What is odd with a rule, below what it is about: a triangle where it can hit nothing as it is. */
export function FindingLines({ findings }: { findings: readonly RuleFinding[] }) {
  return findings.map((finding) => (
    <p key={`${finding.field} ${finding.sentence}`} className={`finding ${finding.severity}`} role="note">
      <Icon of={finding.severity === 'never' ? TriangleAlert : Info} size={12} />
      <span>
        {finding.severity === 'never' && <b>Hits nothing. </b>}
        {finding.sentence}{' '}
        {finding.otherRuleId !== null && (
          <>
            <button className="link xs" onClick={() => openView('faults', finding.otherRuleId)}>
              Open that rule
            </button>{' '}
            {finding.ruleId !== '' && (
              <button className="link xs" onClick={() => void moveRule(finding.ruleId, finding.otherRuleId)}>
                Try this one first
              </button>
            )}
          </>
        )}
      </span>
    </p>
  ));
}
