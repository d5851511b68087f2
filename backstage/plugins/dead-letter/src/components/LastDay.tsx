import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { LastDay as Counts } from '@dead-letter/backstage-plugin-dead-letter-common';
import { deadLetterTranslationRef } from '../translation';
import numbers from './numbers.module.css';

/** What has died in the last 24 hours, and what became of it. It says what is known, and not that all is good. */
export function LastDay({ counts }: { counts: Counts | undefined }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { died = 0, redelivered = 0, deleted = 0 } = counts ?? {};
  return (
    <>
      {died === 0
        ? t('common.lastDayNone')
        : t('common.lastDay', {
            died: died.toLocaleString(),
            redelivered: redelivered.toLocaleString(),
            deleted: deleted.toLocaleString(),
          })}
    </>
  );
}

/** The same below a number, in a table. */
export function LastDayBelow({ counts }: { counts: Counts }) {
  return (
    <Text
      as="div"
      variant="body-small"
      color="secondary"
      className={numbers.below}
    >
      <LastDay counts={counts} />
    </Text>
  );
}

/** The sum over services or squads. */
export function sumOfLastDay(rows: { lastDay: Counts }[]): Counts {
  const sum = { died: 0, redelivered: 0, deleted: 0 };
  for (const { lastDay } of rows) {
    sum.died += lastDay.died;
    sum.redelivered += lastDay.redelivered;
    sum.deleted += lastDay.deleted;
  }
  return sum;
}
