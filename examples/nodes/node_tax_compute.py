def tax(amount, rate):
    return amount * rate / 100
