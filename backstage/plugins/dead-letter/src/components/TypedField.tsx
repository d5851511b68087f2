import { SearchField, TextField } from '@backstage/ui';
import { useEffect, useRef, useState } from 'react';

/** While somebody types. */
const PAUSE_MS = 400;

interface TypedFieldProps {
  className?: string;
  label: string;
  placeholder?: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  isSearch?: boolean;
}

/** Is looked for once nobody types for a moment. */
export function TypedField({
  className,
  label,
  placeholder,
  value = '',
  onChange,
  isSearch,
}: TypedFieldProps) {
  const [typed, setTyped] = useState(value);
  // That of the last render: it knows what was typed into another field meanwhile.
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return undefined;
    const timer = setTimeout(
      () => latest.current(typed || undefined),
      PAUSE_MS,
    );
    return () => clearTimeout(timer);
  }, [typed, value]);
  const Field = isSearch ? SearchField : TextField;
  return (
    <Field
      className={className}
      label={label}
      placeholder={placeholder}
      value={typed}
      onChange={setTyped}
    />
  );
}
