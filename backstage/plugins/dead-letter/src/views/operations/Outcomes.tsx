import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  RiArrowGoBackLine,
  RiCheckLine,
  RiForbidLine,
  RiSkipForwardLine,
} from '@remixicon/react';
import { deadLetterTranslationRef } from '../../translation';
import { OUTCOMES } from './operation';
import styles from './Outcomes.module.css';
import { sayNumber } from './say';

const ICONS = {
  sent: RiCheckLine,
  deleted: RiCheckLine,
  restored: RiCheckLine,
  returned: RiArrowGoBackLine,
  refused: RiForbidLine,
  skipped: RiSkipForwardLine,
};
const BAD = new Set(['returned', 'refused']);

/** How many ended how; only what there is. */
export function Outcomes({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const found = OUTCOMES.filter(name => operation.outcomes[name] > 0);
  if (found.length === 0) return null;
  return (
    <ul className={styles.list}>
      {found.map(name => {
        const Icon = ICONS[name];
        const bad = BAD.has(name) ? styles.bad : '';
        return (
          <li key={name} className={`${styles.item} ${bad}`}>
            <Icon size={14} aria-hidden />
            {sayNumber(operation.outcomes[name])}{' '}
            {t(`operations.outcome.${name}`).toLocaleLowerCase()}
          </li>
        );
      })}
    </ul>
  );
}
