import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { SquadOverview } from '@dead-letter/backstage-plugin-dead-letter-common';
import { sayCount } from '../../components/Count';
import { Trend } from '../../components/Trend';
import { deadLetterTranslationRef } from '../../translation';
import styles from './SquadsPage.module.css';
import { UNOWNED, sumOf } from './squads';

/** How many dead letters there are in all. */
export function Headline({ squads }: { squads: SquadOverview[] | undefined }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (!squads) return <div />;
  const { messages, services, trend } = sumOf(squads);
  const owners = squads.filter(each => each.squad !== UNOWNED).length;
  return (
    <div>
      <p className={styles.headline}>
        <span className={styles.total}>{sayCount(messages)}</span>{' '}
        <span className={styles.what}>
          {t('squads.total', { count: messages })}
        </span>
      </p>
      {messages > 0 && (
        <div className={styles.more}>
          <span>
            {t('squads.inServices', { count: services })}{' '}
            {t('squads.ofSquads', { count: owners })}
          </span>
          <span>
            {t('squads.lastHour')}: <Trend trend={trend} />
          </span>
        </div>
      )}
    </div>
  );
}
