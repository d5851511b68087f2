import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Link } from '@backstage/ui';
import { CountedGroup } from '@dead-letter/backstage-plugin-dead-letter-common';
import { sayCount, sayShare } from '../../components/Count';
import { Sparkline } from '../../components/Sparkline';
import { Time } from '../../components/Time';
import { useInEnvironment } from '../../hooks/useEnvironment';
import { deadLetterTranslationRef } from '../../translation';
import { ErrorGroupMenu } from './ErrorGroupMenu';
import styles from './ErrorGroups.module.css';
import { StateBadge } from './StateBadge';
import { tabOf } from './catalog';

interface ErrorGroupRowProps {
  group: CountedGroup;
  component: string | null | undefined;
}

/** One error, as often as it happened. */
export function ErrorGroupRow({ group, component }: ErrorGroupRowProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <li className={styles.row}>
      <What group={group} component={component} />
      <div className={styles.number}>
        <span className={styles.count}>{sayCount(group.count)}</span>{' '}
        <span className={styles.small}>
          {t('squad.groups.count', { count: group.count })}
        </span>
        <div className={styles.bar}>
          <div
            className={styles.filled}
            style={{ width: `${group.share * 100}%` }}
          />
        </div>
        <span className={styles.small}>
          {t('squad.groups.share', { share: sayShare(group.share) })}
        </span>
      </div>
      <div>
        <Sparkline values={group.sparkline} />
        <span className={styles.small}>{t('squad.groups.hours')}</span>
      </div>
      <dl className={styles.times}>
        <dt>{t('squad.groups.last')}</dt>
        <dd>
          <Time at={group.lastSeen} ago />
        </dd>
        <dt>{t('squad.groups.first')}</dt>
        <dd>
          <Time at={group.firstSeen} ago />
        </dd>
      </dl>
      <div>
        <ErrorGroupMenu group={group} component={component} />
      </div>
    </li>
  );
}

/** What went wrong and where, and the way to the dead letters that tell it. */
function What({ group, component }: ErrorGroupRowProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const inEnvironment = useInEnvironment();
  const title = group.title ?? group.errorType ?? t('squad.groups.untitled');
  return (
    <div className={styles.what}>
      {component ? (
        <Link
          className={styles.title}
          weight="bold"
          href={inEnvironment(tabOf(component), { errorGroup: group.id })}
        >
          {title}
        </Link>
      ) : (
        <strong className={styles.title}>{title}</strong>
      )}
      <div className={styles.detail}>
        <StateBadge state={group.state} />
        {group.state === 'muted' && <Muted group={group} />}
        {group.errorType && (
          <span className={styles.type}>{group.errorType}</span>
        )}
        <span>{group.service}</span>
        {group.reason && <span>{group.reason}</span>}
      </div>
    </div>
  );
}

/** Until when nobody is to hear of it. */
function Muted({ group: { mutedUntil, mutedUpTo } }: { group: CountedGroup }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (mutedUntil) {
    return (
      <span>
        {t('squad.groups.until')} <Time at={mutedUntil} />
      </span>
    );
  }
  if (mutedUpTo === null) return null;
  return <span>{t('squad.groups.upTo', { count: mutedUpTo })}</span>;
}
