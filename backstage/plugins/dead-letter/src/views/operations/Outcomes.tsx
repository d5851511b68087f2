import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  RiArrowGoBackLine,
  RiCheckLine,
  RiForbidLine,
  RiSkipForwardLine,
  RiStopCircleLine,
} from '@remixicon/react';
import { deadLetterTranslationRef } from '../../translation';
import { OUTCOMES, kindOf } from './operation';
import styles from './Outcomes.module.css';
import { sayNumber } from './say';

const ICONS = {
  sent: RiCheckLine,
  deleted: RiCheckLine,
  restored: RiCheckLine,
  returned: RiArrowGoBackLine,
  refused: RiForbidLine,
  skipped: RiSkipForwardLine,
  notDone: RiStopCircleLine,
};
const BAD = new Set(['returned', 'refused']);

/** How many ended how; only what there is. */
export function Outcomes({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { outcomes, notDone } = operation;
  // Those that a cancellation left as they were are counted as skipped too.
  const counts = { ...outcomes, skipped: outcomes.skipped - notDone, notDone };
  const found = ([...OUTCOMES, 'notDone'] as const).filter(
    name => counts[name] > 0,
  );
  if (found.length === 0) return null;
  return (
    <ul className={styles.list}>
      {found.map(name => {
        const Icon = ICONS[name];
        const bad = BAD.has(name) ? styles.bad : '';
        return (
          <li key={name} className={`${styles.item} ${bad}`}>
            <Icon size={14} aria-hidden />
            {sayNumber(counts[name])}{' '}
            {name === 'notDone'
              ? t(`operations.notDone.${kindOf(operation)}`)
              : t(`operations.outcome.${name}`).toLocaleLowerCase()}
          </li>
        );
      })}
    </ul>
  );
}
