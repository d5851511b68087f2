import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { CountedGroup } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Sparkline } from '../../components/Sparkline';
import { deadLetterTranslationRef } from '../../translation';

/** How many dead letters of a group arrived in each of the last 24 hours. */
export function DaySparkline({ group }: { group: CountedGroup }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const hours = group.sparkline;
  const total = hours.reduce((sum, each) => sum + each, 0);
  return (
    <Sparkline
      values={hours}
      label={t('squad.groups.sparkline', {
        total: total.toLocaleString(),
        most: Math.max(0, ...hours).toLocaleString(),
        now: (hours[hours.length - 1] ?? 0).toLocaleString(),
      })}
    />
  );
}
