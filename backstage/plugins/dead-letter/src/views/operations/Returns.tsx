import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Link } from '@backstage/ui';
import {
  Operation,
  OperationDetails,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useServiceTabs } from '../../hooks/useTabs';
import { deadLetterTranslationRef } from '../../translation';
import styles from './OutcomeList.module.css';
import { sayNumber } from './say';

/** Why messages that were sent died again, most first. */
export function Returns({ returns }: { returns: OperationDetails['returns'] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">{t('operations.column.error')}</th>
          <th scope="col" className={styles.number}>
            {t('operations.column.count')}
          </th>
          <th scope="col" className={styles.number}>
            {t('operations.column.median')}
          </th>
        </tr>
      </thead>
      <tbody>
        {returns.map(each => (
          <tr key={each.errorGroup}>
            <td>
              {[each.errorType, each.title].filter(Boolean).join(': ') ||
                each.errorGroup}
            </td>
            <td className={styles.number}>{sayNumber(each.count)}</td>
            <td className={styles.number}>
              {t('operations.seconds', {
                number: sayNumber(each.medianSeconds),
              })}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Leads to what died again since an operation began, in each of its services. */
export function CameBack({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { startedAt, createdAt } = operation;
  const services = operation.services ?? [];
  const placeOf = useServiceTabs(services);
  return (
    <ul className={styles.links}>
      {services.map(service => {
        const place = placeOf(service, {
          returned: 'true',
          from: startedAt ?? createdAt,
        });
        return (
          place && (
            <li key={service}>
              <Link href={place.path}>
                {t('operations.cameBack', { service })}
              </Link>
            </li>
          )
        );
      })}
    </ul>
  );
}
