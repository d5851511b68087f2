import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { CountedGroup } from '@dead-letter/backstage-plugin-dead-letter-common';
import { deadLetterTranslationRef } from '../../../translation';
import { useGroupName } from '../useGroups';
import { Series } from './series';
import styles from './chart.module.css';

interface LegendProps {
  series: Series[];
  groups: CountedGroup[];
  onChoose: (group: string) => void;
}

/** Which colour is which error group, and how many it has. One that is pressed is listed alone. */
export function Legend({ series, groups, onChoose }: LegendProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const nameOf = useGroupName();
  return (
    <ul className={styles.legend} aria-label={t('service.errorGroup')}>
      {series.map(({ group: id, isOthers, count }, colour) => {
        const group = groups.find(each => each.id === id);
        const text = (
          <>
            <i data-colour={isOthers ? 'others' : colour} />
            <span>
              {group
                ? nameOf(group)
                : t(isOthers ? 'service.otherGroups' : 'service.unnamedGroup')}
            </span>
            <b>{count.toLocaleString()}</b>
          </>
        );
        return (
          <li key={id ?? String(isOthers)}>
            {id ? (
              <button type="button" onClick={() => onChoose(id)}>
                {text}
              </button>
            ) : (
              text
            )}
          </li>
        );
      })}
    </ul>
  );
}
